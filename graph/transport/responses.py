"""From results and errors to what is sent: codes, request ids, masked bugs, and the bytes."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from graph.errors.top_level import BadUserInput, Internal, TopLevelError

Explain = Callable[[Exception], TopLevelError | None]

_LONGEST_MESSAGE: Final = 1_000

logger: Final = logging.getLogger("clientela.errors")


@dataclass(slots=True)
class Answer:
    """One answer of an operation. It holds `data` only where the operation was executed."""

    payload: dict[str, Any]
    outcome: str = "OK"
    """OK, or the code of the first error."""
    status: int = 200
    json_status: int = 200
    allow: str | None = None

    @property
    def executed(self) -> bool:
        return "data" in self.payload

    @property
    def retry_after(self) -> int | None:
        found: int | None = None if self.executed else self.payload["errors"][0]["extensions"].get("retryAfter")
        return found


def refused(error: TopLevelError, request_id: str) -> Answer:
    """The answer that is this one error."""
    return Answer(
        {"errors": [_shown(error, request_id)]},
        error.code,
        error.status,
        error.json_status,
        getattr(error, "allow", None),
    )


def failed(error: Exception, request_id: str, explain: Explain) -> Answer:
    """The answer to an exception that ended the operation."""
    return refused(_told(error, request_id, explain, logged=set()), request_id)


def answered(result: ExecutionResult, request_id: str, explain: Explain) -> Answer:
    """The answer that a result makes. Without data and without a path in any error, nothing was executed."""
    payload: dict[str, Any] = {}
    errors = result.errors
    if errors:
        told = _all_told(errors, request_id, explain)
        if result.data is None and not any(error.path for error in errors):
            first = told[0]
            shown = {"errors": [_shown(error, request_id) for error in told]}
            return Answer(shown, _code(first), getattr(first, "status", 400), getattr(first, "json_status", 200))
        payload["errors"] = [_shown(error, request_id) for error in told]
    payload["data"] = result.data
    if result.extensions:
        payload["extensions"] = result.extensions
    return Answer(payload, _code(told[0]) if errors else "OK")


def written(answer: Answer, request_id: str) -> tuple[Answer, bytes]:
    """The answer and its JSON. What cannot be written is a bug of a scalar: logged, and answered INTERNAL instead."""
    try:
        return answer, orjson.dumps(answer.payload)
    except TypeError as error:
        _log(error, request_id, path=None)
        instead = refused(Internal(), request_id)
        return instead, orjson.dumps(instead.payload)


def _all_told(errors: Iterable[GraphQLError], request_id: str, explain: Explain) -> list[GraphQLError]:
    logged: set[tuple[Any, ...]] = set()
    return [error if _has_code(error) else _told(error, request_id, explain, logged=logged) for error in errors]


def _told(error: Exception, request_id: str, explain: Explain, *, logged: set[tuple[Any, ...]]) -> Any:
    """The error as a client may see it, with a code; a bug is logged, once for all the fields it hit."""
    if isinstance(error, GraphQLError) and _has_code(error):
        return error
    cause = _cause(error)
    if isinstance(error, GraphQLError) and not error.path and (error.nodes or isinstance(cause, GraphQLError)):
        # Outside any field these are graphql-core's own, about the variables; a bug has no node.
        return _placed(BadUserInput(error.message), error)
    known = explain(cause)
    if known is None:
        known = Internal()
        if (place := _place(cause)) not in logged:
            logged.add(place)
            _log(cause, request_id, path=getattr(error, "path", None))
    return _placed(known, error)


def _placed(known: TopLevelError, error: Exception) -> TopLevelError:
    if isinstance(error, GraphQLError):
        known.path, known.locations = error.path, error.locations
    return known


def _cause(error: Exception) -> Exception:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _place(cause: Exception) -> tuple[Any, ...]:
    trace = cause.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (type(cause), trace and trace.tb_frame.f_code, trace and trace.tb_lineno)


def _log(cause: Exception, request_id: str, *, path: list[str | int] | None) -> None:
    where = ".".join(map(str, path)) if path else "-"
    logger.error("unexpected at %s in request %s", where, request_id, exc_info=cause, extra={"request_id": request_id})


def _has_code(error: GraphQLError) -> bool:
    return "code" in (error.extensions or ())


def _code(error: GraphQLError) -> str:
    return str((error.extensions or {}).get("code", Internal.code))


def _shown(error: GraphQLError, request_id: str) -> dict[str, Any]:
    # A message may quote what was sent.
    shown: dict[str, Any] = {"message": error.message[:_LONGEST_MESSAGE]}
    if error.locations:
        shown["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        shown["path"] = error.path
    shown["extensions"] = {**(error.extensions or {}), "requestId": request_id}
    return shown
