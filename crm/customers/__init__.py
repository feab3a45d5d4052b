"""The rules for customers: creating, updating and deleting them, one or many at a time."""
