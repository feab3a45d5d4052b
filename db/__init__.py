"""Storage: tables and SQL. This layer knows nothing of rules, GraphQL or HTTP."""
