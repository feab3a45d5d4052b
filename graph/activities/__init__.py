"""Notes, interactions and orders."""
