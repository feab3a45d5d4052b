"""The rules: what callers may read and change. Every write goes through this package. It knows nothing of GraphQL or
HTTP."""
