"""Top-level errors: the ones that stand in an answer's `errors`, each with a code that a client can act on.

    GraphQLError
    └── TopLevelError
        ├── ParseFailed         GRAPHQL_PARSE_FAILED        the document is not GraphQL
        ├── ValidationFailed    GRAPHQL_VALIDATION_FAILED   the document does not fit the schema, or passes a limit
        ├── Unauthenticated     UNAUTHENTICATED             nobody is signed in
        ├── Forbidden           FORBIDDEN                   the permission of the field is missing
        ├── BadUserInput        BAD_USER_INPUT              arguments or variables
        │   └── RequestRefused                              the request around the document: its body, headers, method
        ├── CostExceeded        COST_EXCEEDED
        ├── RateLimited         RATE_LIMITED                too much in too little time: retryAfter
        ├── TimedOut            TIMEOUT                     it ran too long, and was stopped
        ├── Overloaded          OVERLOADED                  all places are taken: retryAfter
        ├── Unavailable         UNAVAILABLE                 what the server needs does not answer: retryAfter
        └── Internal            INTERNAL                    a bug; the log has it under the request id

What a person can mend in a form is not here: it is a UserError in the mutation's payload.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from graphql import GraphQLError, Node


class TopLevelError(GraphQLError):
    """`limit` is the exceeded limit, `retry_after` is in seconds, `argument` is the path of the invalid value from the
    argument inwards. Clients get all of them."""

    code: ClassVar[str]
    status: int = 400
    """HTTP status of an answer with only this error, as application/graphql-response+json."""
    json_status: int = 200
    """The same as application/json, which requires 200 for every well-formed request (GraphQL over HTTP)."""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        limit: int | float | None = None,
        limit_name: str | None = None,
        retry_after: int | None = None,
        argument: Sequence[str] | None = None,
        nodes: list[Node] | None = None,
    ) -> None:
        told: dict[str, Any] = {"code": self.code}
        given = {
            "reason": reason,
            "limit": limit,
            "limitName": limit_name,
            "retryAfter": retry_after,
            "argumentPath": list(argument) if argument else None,
        }
        told |= {key: value for key, value in given.items() if value is not None}
        super().__init__(message, nodes, extensions=told)


class ParseFailed(TopLevelError):
    code = "GRAPHQL_PARSE_FAILED"


class ValidationFailed(TopLevelError):
    code = "GRAPHQL_VALIDATION_FAILED"


class Unauthenticated(TopLevelError):
    code = "UNAUTHENTICATED"
    status = 401

    def __init__(self, message: str = "Sign in first: send `Authorization: Bearer` with a token.") -> None:
        super().__init__(message)


class Forbidden(TopLevelError):
    code = "FORBIDDEN"
    status = 403


class BadUserInput(TopLevelError):
    code = "BAD_USER_INPUT"


class RequestRefused(BadUserInput):
    """The request failed before its document was read, so every media type has the status."""

    def __init__(self, message: str, *, status: int = 400, allow: str | None = None, **told: Any) -> None:
        super().__init__(message, **told)
        self.status = self.json_status = status
        self.allow = allow
        """The allowed methods, for the header of a 405."""


class CostExceeded(TopLevelError):
    code = "COST_EXCEEDED"


class RateLimited(TopLevelError):
    code = "RATE_LIMITED"
    status = json_status = 429


class TimedOut(TopLevelError):
    code = "TIMEOUT"
    status = json_status = 504


class Overloaded(TopLevelError):
    code = "OVERLOADED"
    status = json_status = 503


class Unavailable(TopLevelError):
    code = "UNAVAILABLE"
    status = json_status = 503


class Internal(TopLevelError):
    code = "INTERNAL"
    status = json_status = 500

    def __init__(
        self, message: str = "The server failed to process the request. Its log has the details under the request id."
    ) -> None:
        super().__init__(message)


def limit_error(kind: type[TopLevelError], message: str, *, name: str, limit: int | float) -> TopLevelError:
    """An error for something that exceeds the documented limit of that name."""
    return kind(message, reason="LIMIT_EXCEEDED", limit=limit, limit_name=name)
