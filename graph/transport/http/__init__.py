"""GraphQL over HTTP, and the HTTP server's settings."""
