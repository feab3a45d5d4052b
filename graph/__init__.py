"""How it is asked: GraphQL and HTTP, nothing else."""
