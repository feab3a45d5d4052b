"""What the engine raises where it leaves an operation to the reference."""


class Unplanned(Exception):
    """graphql-core has to answer this; the text says why, for whoever looks into the log."""
