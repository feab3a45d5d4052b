"""Middleware for every HTTP request: the request id, the security headers, and the response to a crash."""

import logging
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors.top_level import Internal
from graph.transport.http.request_reading import choose_request_id, current_request_id
from graph.transport.responses import error_response, serialize_response

logger: Final = logging.getLogger("clientela.errors")

_SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_SECURITY_HEADER_NAMES: Final = frozenset(name for name, _ in _SECURITY_HEADERS)


class RequestMiddleware:
    """The outermost middleware. A security header that the response sets itself takes precedence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client_id = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = choose_request_id(client_id.decode("latin-1"))
        current_request_id.set(request_id)
        has_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                message["headers"] = _add_headers(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            text, extra = "unexpected error at %s in request %s", {"request_id": request_id}
            logger.error(text, scope["path"], request_id, exc_info=error, extra=extra)
            # A response that has started cannot be replaced. uvicorn closes the connection if it stays incomplete.
            if not has_started:
                await _send_internal_error(send_with_headers, request_id)


def _add_headers(headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    names = dict(headers).keys()
    added = _SECURITY_HEADERS
    if not names.isdisjoint(_SECURITY_HEADER_NAMES):
        added = tuple(header for header in _SECURITY_HEADERS if header[0] not in names)
    return [*headers, (b"x-request-id", request_id.encode()), *added]


async def _send_internal_error(send: Send, request_id: str) -> None:
    _, body = serialize_response(error_response(Internal(), request_id), request_id)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
