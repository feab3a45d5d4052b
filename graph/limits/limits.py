"""The limits on requests. They are documented, so users notice a change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits on a request, document, operation, WebSocket and process."""

    body_bytes: int = 1_000_000
    """Of a /graphql body or a WebSocket message."""
    body_seconds: float = 10.0
    """Until a body has arrived."""

    source_characters: int = 100_000
    """Of a document."""
    tokens: int = 4_000
    """Lexical tokens of a document."""
    comments: int = 100
    depth: int = 14
    """Nested fields. The standard introspection query has exactly this depth."""
    aliases: int = 50
    root_fields: int = 20
    root_fields_with_sign_in: int = 1
    """Root fields of an operation with signIn: it tries one password."""
    selections: int = 1_000
    """Fields, spreads and inline fragments of an operation. A fragment counts wherever it is spread."""
    operations_per_document: int = 50
    """One of them runs, but all are validated."""
    fragments: int = 200
    variables: int = 200
    """Declared by one operation."""
    directives: int = 50
    """In a document."""
    directives_per_location: int = 4
    list_items: int = 1_000
    """Of any list in the variables or the document."""
    value_depth: int = 64
    """Nested lists and objects of a value."""

    anonymous_source_characters: int = 4_000
    """Of a document without a token, which only needs to sign in."""
    anonymous_tokens: int = 400

    operation_seconds: float = 10.0
    """Until a query or mutation is stopped."""
    running_operations: int = 64
    waiting_operations: int = 512
    waiting_seconds: float = 5.0
    """Until a waiting operation is rejected."""

    operations_per_socket: int = 20
    """Operations that run at once on one WebSocket."""
    streams_per_caller: int = 10
    """Open WebSockets and event streams of one caller in one process."""
    init_seconds: float = 10.0
    """From the opening of a WebSocket to its connection_init."""
    recheck_seconds: float = 30.0
    """Between two checks of the token of an open WebSocket or event stream."""

    cached_characters: int = 200_000
    """Capacity of the cache of parsed documents. It holds documents of up to a tenth of this length."""
