"""Around every HTTP request: its id, the security headers, and an answer where all else failed."""

import logging
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors.top_level import Internal
from graph.transport.http.request_reading import current_request_id, request_id_for
from graph.transport.responses import refused, written

logger: Final = logging.getLogger("clientela.errors")

_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_NAMES: Final = frozenset(name for name, _ in _SECURITY)


class Envelope:
    """Middleware, outermost. What it adds, an answer may have said differently by itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = request_id_for(given.decode("latin-1"))
        current_request_id.set(request_id)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = _with_ours(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            told = {"request_id": request_id}
            logger.error("unexpected at %s in request %s", scope["path"], request_id, exc_info=error, extra=told)
            # An answer that has begun cannot be taken back: left unfinished, uvicorn closes the connection.
            if not started:
                await _apologise(send_with_headers, request_id)


def _with_ours(headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    said = dict(headers)
    ours = _SECURITY if said.keys().isdisjoint(_NAMES) else [each for each in _SECURITY if each[0] not in said]
    return [*headers, (b"x-request-id", request_id.encode()), *ours]


async def _apologise(send: Send, request_id: str) -> None:
    _, body = written(refused(Internal(), request_id), request_id)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
