"""Scalars, enums, ids and other types that every part of the schema uses."""
