"""The error of a filter, search, sort or cursor, with its path."""

from collections.abc import Sequence

Path = tuple[str, ...]


class QueryError(Exception):
    """`reason` is for programs: LIMIT_EXCEEDED, FIELD_UNKNOWN, INVALID, SEGMENT_CYCLE, BAD_CURSOR. `path` leads from
    the argument inwards: ("filter", "and", "0", "name", "eq"). `limit` is the exceeded limit."""

    def __init__(self, reason: str, message: str, path: Sequence[str] = (), *, limit: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.path = tuple(path)
        self.limit = limit


def invalid_query(message: str, path: Sequence[str]) -> QueryError:
    return QueryError("INVALID", message, path)


def limit_exceeded(message: str, path: Sequence[str], limit: int) -> QueryError:
    return QueryError("LIMIT_EXCEEDED", message, path, limit=limit)
