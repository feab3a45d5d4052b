"""Notes, interactions and orders, and the automation that interactions trigger."""
