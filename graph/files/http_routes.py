"""Authentication and error responses of the HTTP routes beside /graphql."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from crm import errors as crm_errors
from crm.access.permissions import Viewer
from db.engine import Database
from graph.errors.top_level import Forbidden, TopLevelError, Unauthenticated
from graph.transport.http.request_reading import bearer_token, current_request_id
from graph.transport.responses import exception_response, serialize_response

Endpoint = Callable[[Request], Awaitable[Response]]

# Statuses of responses to a body that was not read completely.
_CLOSING_STATUSES: Final = (408, 413)
_MAX_DRAINED_BYTES: Final = 10_000_000
_MAX_DRAIN_SECONDS: Final = 2.0


class FileRoutesBackend(Protocol):
    """What these routes need of the application."""

    @property
    def database(self) -> Database: ...

    async def authenticate(self, token: str) -> Viewer | None: ...

    def explain_error(self, error: Exception) -> TopLevelError | None: ...


async def require_viewer(backend: FileRoutesBackend, request: Request) -> Viewer:
    """The viewer whose token the request bears. Raises Unauthenticated."""
    token = bearer_token(request.headers.get("authorization"))
    viewer = await backend.authenticate(token) if token else None
    if viewer is None:
        raise Unauthenticated
    return viewer


def with_error_responses(backend: FileRoutesBackend, endpoint: Endpoint) -> Endpoint:
    """The endpoint with every exception turned into a response in the format of /graphql."""

    async def respond(request: Request) -> Response:
        try:
            return await endpoint(request)
        except crm_errors.Forbidden as error:
            return _error_response(backend, Forbidden(error.message))
        except Exception as error:
            if isinstance(error, TopLevelError) and error.status in _CLOSING_STATUSES:
                await _drain(request)
            return _error_response(backend, error)

    return respond


async def _drain(request: Request) -> None:
    """Reads what the client is still sending, within limits.

    A client that is still sending when the connection closes does not see the response.
    """
    remaining = _MAX_DRAINED_BYTES
    try:
        async with asyncio.timeout(_MAX_DRAIN_SECONDS):
            while remaining > 0:
                message = await request.receive()
                if not message.get("more_body", False):
                    return
                remaining -= len(message["body"])
    except TimeoutError:
        return


def _error_response(backend: FileRoutesBackend, error: Exception) -> Response:
    request_id = current_request_id.get()
    response = exception_response(error, request_id, backend.explain_error)
    response, body = serialize_response(response, request_id)
    headers = {"cache-control": "no-store"}
    if response.status == 401:
        headers["www-authenticate"] = "Bearer"
    if response.retry_after is not None:
        headers["retry-after"] = str(response.retry_after)
    if response.status in _CLOSING_STATUSES:
        # The rest of a rejected body is not read, so the connection cannot be reused.
        headers["connection"] = "close"
    return Response(body, response.status, headers, "application/json")
