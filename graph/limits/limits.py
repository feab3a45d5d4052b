"""The limits themselves. They are documented, so changing one is a change that users see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request, document, operation, socket and process may ask for."""

    body_bytes: int = 1_000_000
    """Bytes of a /graphql body or websocket message."""
    body_seconds: float = 10.0

    source_characters: int = 100_000
    """Characters of a document."""
    tokens: int = 4_000
    comments: int = 100
    depth: int = 14
    """Fields around the innermost one; the standard introspection query has exactly so many."""
    aliases: int = 50
    root_fields: int = 20
    root_fields_with_sign_in: int = 1
    """Root fields of an operation that signs in: passwords are tried one at a time."""
    selections: int = 1_000
    """Fields, spreads and inline fragments of an operation, each fragment counted wherever it is spread."""
    operations_per_document: int = 50
    """In one document, of which one runs; all are validated."""
    fragments: int = 200
    variables: int = 200
    """Declared by one operation."""
    directives: int = 50
    directives_per_location: int = 4
    list_items: int = 1_000
    """Of any list in the variables or the document: ids, rows."""
    value_depth: int = 64
    """Lists and objects around the innermost value."""

    anonymous_source_characters: int = 4_000
    """Characters of a document that comes without a token: room for signing in and nothing else."""
    anonymous_tokens: int = 400

    operation_seconds: float = 10.0
    running_operations: int = 64
    waiting_operations: int = 512
    waiting_seconds: float = 5.0

    operations_per_socket: int = 20
    """Operations at once on one socket."""
    streams_per_caller: int = 10
    """Open sockets and event streams of one caller, in one process."""
    init_seconds: float = 10.0
    """From the opening of a socket to its connection_init."""
    recheck_seconds: float = 30.0
    """Between two looks at the token of an open socket."""

    cached_characters: int = 200_000
    """All documents together that are kept parsed; the longest that is kept is a tenth of it."""
