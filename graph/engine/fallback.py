"""The exception that hands an operation over to graphql-core."""


class FallbackRequired(Exception):
    """graphql-core must execute this operation. The text names the reason and is logged at level DEBUG."""
