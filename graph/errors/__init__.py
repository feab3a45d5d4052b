"""Errors: at the top level of an answer, and in a mutation's payload."""
