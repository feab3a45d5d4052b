"""GraphQL over HTTP: the ASGI application, middleware, content negotiation and the protocols of uvicorn."""
