"""How it is stored: tables and SQL. Knows nothing of rules, GraphQL or HTTP."""
