"""Which columns the answer needs, told to whoever reads rows while a field is being resolved."""

from contextvars import ContextVar

# The names wanted of the rows that the field being resolved hands over as objects; None means all of them. Names that
# are no columns may be among them. Mutations and graphql-core always want all.
wanted: ContextVar[frozenset[str] | None] = ContextVar("wanted", default=None)
