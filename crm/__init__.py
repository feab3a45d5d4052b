"""What is allowed: the rules. Every write starts here; knows nothing of GraphQL or HTTP."""
