"""The columns that the response needs of the rows that a field loads."""

from contextvars import ContextVar

# Set while a field is being resolved: the columns needed of the rows that it returns as objects. None means all
# columns, as mutations and graphql-core need them. The set may hold names that are not columns.
columns_to_read: ContextVar[frozenset[str] | None] = ContextVar("columns_to_read", default=None)
