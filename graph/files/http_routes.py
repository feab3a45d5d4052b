"""Addresses beside /graphql: who asks there, and what is answered where it is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from crm import errors as refusals
from crm.access.permissions import Viewer
from db.engine import Database
from graph.errors.top_level import Forbidden, TopLevelError, Unauthenticated
from graph.transport.http.request_reading import bearer_token, current_request_id
from graph.transport.responses import exception_response, serialize_response

Endpoint = Callable[[Request], Awaitable[Response]]

_CLOSING: Final = (408, 413)
_DRAINED: Final = 10_000_000
_SECONDS: Final = 2.0


class FileRoutesBackend(Protocol):
    """What these addresses ask of the product."""

    @property
    def database(self) -> Database: ...

    async def authenticate(self, token: str) -> Viewer | None: ...

    def explain_error(self, error: Exception) -> TopLevelError | None: ...


async def require_viewer(doors: FileRoutesBackend, request: Request) -> Viewer:
    """Raises Unauthenticated."""
    token = bearer_token(request.headers.get("authorization"))
    viewer = await doors.authenticate(token) if token else None
    if viewer is None:
        raise Unauthenticated
    return viewer


def with_error_responses(doors: FileRoutesBackend, answer: Endpoint) -> Endpoint:
    """The same where every exception becomes an answer, written as /graphql writes its errors."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except refusals.Forbidden as refused:
            return _told(doors, Forbidden(refused.message))
        except Exception as error:
            if isinstance(error, TopLevelError) and error.status in _CLOSING:
                await _drained(request)
            return _told(doors, error)

    return answered


async def _drained(request: Request) -> None:
    """Takes in what is on its way, within bounds: who is still sending when the connection closes sees no answer."""
    left = _DRAINED
    try:
        async with asyncio.timeout(_SECONDS):
            while left > 0:
                message = await request.receive()
                if not message.get("more_body", False):
                    return
                left -= len(message["body"])
    except TimeoutError:
        return


def _told(doors: FileRoutesBackend, error: Exception) -> Response:
    request_id = current_request_id.get()
    answer, body = serialize_response(exception_response(error, request_id, doors.explain_error), request_id)
    headers = {"cache-control": "no-store"}
    if answer.status == 401:
        headers["www-authenticate"] = "Bearer"
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    if answer.status in _CLOSING:
        # The rest of a body that was refused is not read, so the connection cannot be used again.
        headers["connection"] = "close"
    return Response(body, answer.status, headers, "application/json")
