"""Reads the parts of an HTTP request: headers, bearer token, request id, and the body within its limits."""

import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from starlette.types import Receive, Scope

from graph.errors.top_level import RequestRefused
from graph.limits import Limits
from graph.transport.deadlines import SharedTimeout

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")
"""The id of the request that is being handled, for log lines; "-" outside a request."""

_SAFE_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:+/=@-]{1,100}")
_BEARER_TOKEN: Final = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{1,500})")

Headers = Mapping[bytes, bytes]


class ClientDisconnected(Exception):
    """The client disconnected before its request was complete."""


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers by name. If a header occurs twice, the last one counts."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def choose_request_id(client_id: str) -> str:
    """The id that the client sent if it is safe in a log line; otherwise a new one."""
    return client_id if _SAFE_REQUEST_ID.fullmatch(client_id) else os.urandom(12).hex()


def bearer_token(authorization: Any) -> str | None:
    """The token after `Bearer`; None for any other value, which makes the caller anonymous."""
    match = _BEARER_TOKEN.fullmatch(authorization) if isinstance(authorization, str) else None
    return match[1] if match else None


def client_address(scope: Scope) -> str | None:
    """The client's network address."""
    client = scope.get("client")
    return client[0] if client else None


async def read_body(receive: Receive, headers: Headers, limits: Limits, timeout: SharedTimeout) -> bytes:
    """Raises RequestRefused if the body is too large (413) or slow (408), ClientDisconnected if it is incomplete."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 15 or int(declared) > limits.body_bytes):
        raise _too_large(limits)
    try:
        with timeout.scope():
            return await _read_all(receive, limits)
    except TimeoutError:
        raise RequestRefused("The body took too long to arrive.", status=408) from None


async def _read_all(receive: Receive, limits: Limits) -> bytes:
    parts: list[bytes] = []
    has_more, size = True, 0
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        has_more = message.get("more_body", False)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limits.body_bytes:
            raise _too_large(limits)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limits: Limits) -> RequestRefused:
    message = f"The body is larger than {limits.body_bytes} bytes."
    return RequestRefused(message, status=413, reason="LIMIT_EXCEEDED", limit=limits.body_bytes, limit_name="body")
