"""The rules for customers: making, changing and deleting them, one or many at a time."""
