"""Turns results and errors into the JSON that is sent, with codes and request ids, and masks bugs."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from graph.errors.top_level import BadUserInput, Internal, TopLevelError

ExplainError = Callable[[Exception], TopLevelError | None]

_MAX_MESSAGE_CHARACTERS: Final = 1_000

logger: Final = logging.getLogger("clientela.errors")


@dataclass(slots=True)
class GraphQLResponse:
    """One response to an operation. Its payload has `data` only if the operation was executed."""

    payload: dict[str, Any]
    outcome: str = "OK"
    """OK, or the code of the first error."""
    status: int = 200
    json_status: int = 200
    """The status for the media type application/json."""
    allowed_methods: str | None = None

    @property
    def was_executed(self) -> bool:
        return "data" in self.payload

    @property
    def retry_after(self) -> int | None:
        """Seconds."""
        seconds: int | None = None if self.was_executed else self.payload["errors"][0]["extensions"].get("retryAfter")
        return seconds


def error_response(error: TopLevelError, request_id: str) -> GraphQLResponse:
    """The response that consists of this error."""
    return GraphQLResponse(
        {"errors": [_error_json(error, request_id)]},
        error.code,
        error.status,
        error.json_status,
        getattr(error, "allow", None),
    )


def exception_response(error: Exception, request_id: str, explain_error: ExplainError) -> GraphQLResponse:
    """The response to an exception that ended the operation."""
    return error_response(_public_error(error, request_id, explain_error, logged=set()), request_id)


def result_response(result: ExecutionResult, request_id: str, explain_error: ExplainError) -> GraphQLResponse:
    """The response to an execution result. Without data and without an error path, nothing was executed."""
    payload: dict[str, Any] = {}
    errors = result.errors
    if errors:
        public_errors = _public_errors(errors, request_id, explain_error)
        error_payload = [_error_json(error, request_id) for error in public_errors]
        first = public_errors[0]
        if result.data is None and not any(error.path for error in errors):
            status, json_status = getattr(first, "status", 400), getattr(first, "json_status", 200)
            return GraphQLResponse({"errors": error_payload}, _code(first), status, json_status)
        payload["errors"] = error_payload
    payload["data"] = result.data
    if result.extensions:
        payload["extensions"] = result.extensions
    return GraphQLResponse(payload, _code(public_errors[0]) if errors else "OK")


def serialize_response(response: GraphQLResponse, request_id: str) -> tuple[GraphQLResponse, bytes]:
    """The response and its JSON.

    If a scalar returned a value that JSON cannot represent, logs the bug and returns an INTERNAL response instead.
    """
    try:
        return response, orjson.dumps(response.payload)
    except TypeError as error:
        _log_bug(error, request_id, path=None)
        internal_error = error_response(Internal(), request_id)
        return internal_error, orjson.dumps(internal_error.payload)


def _public_errors(errors: Iterable[GraphQLError], request_id: str, explain_error: ExplainError) -> list[GraphQLError]:
    logged: set[tuple[Any, ...]] = set()
    return [
        error if _has_code(error) else _public_error(error, request_id, explain_error, logged=logged)
        for error in errors
    ]


def _public_error(
    error: Exception, request_id: str, explain_error: ExplainError, *, logged: set[tuple[Any, ...]]
) -> Any:
    """The error that the client receives, with a code. A bug is logged once, even if it hits several fields."""
    if isinstance(error, GraphQLError) and _has_code(error):
        return error
    cause = _original_error(error)
    if isinstance(error, GraphQLError) and not error.path and (error.nodes or isinstance(cause, GraphQLError)):
        # An error outside any field comes from graphql-core and concerns the variables. A bug has no node.
        return _copy_location(BadUserInput(error.message), error)
    explained = explain_error(cause)
    if explained is None:
        explained = Internal()
        if (code_position := _code_position(cause)) not in logged:
            logged.add(code_position)
            _log_bug(cause, request_id, path=getattr(error, "path", None))
    return _copy_location(explained, error)


def _copy_location(target: TopLevelError, error: Exception) -> TopLevelError:
    if isinstance(error, GraphQLError):
        target.path, target.locations = error.path, error.locations
    return target


def _original_error(error: Exception) -> Exception:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _code_position(error: Exception) -> tuple[Any, ...]:
    """Where in the code the error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (type(error), trace and trace.tb_frame.f_code, trace and trace.tb_lineno)


def _log_bug(error: Exception, request_id: str, *, path: list[str | int] | None) -> None:
    dotted_path = ".".join(map(str, path)) if path else "-"
    message = "unexpected error at %s in request %s"
    logger.error(message, dotted_path, request_id, exc_info=error, extra={"request_id": request_id})


def _has_code(error: GraphQLError) -> bool:
    return "code" in (error.extensions or ())


def _code(error: GraphQLError) -> str:
    return str((error.extensions or {}).get("code", Internal.code))


def _error_json(error: GraphQLError, request_id: str) -> dict[str, Any]:
    # A message may quote parts of the request, so its length is limited.
    error_json: dict[str, Any] = {"message": error.message[:_MAX_MESSAGE_CHARACTERS]}
    if error.locations:
        error_json["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        error_json["path"] = error.path
    error_json["extensions"] = {**(error.extensions or {}), "requestId": request_id}
    return error_json
