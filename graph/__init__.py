"""The API: GraphQL schema, transports, limits and the executor."""
