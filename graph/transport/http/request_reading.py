"""Reading an HTTP request: the headers that matter here, the body within its limits, the request id."""

import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from starlette.types import Receive, Scope

from graph.errors.top_level import RequestRefused
from graph.limits import Limits
from graph.transport.deadlines import Deadlines

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")
"""For log lines written anywhere below."""

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:+/=@-]{1,100}")
_TOKEN: Final = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{1,500})")

Headers = Mapping[bytes, bytes]


class Gone(Exception):
    """The client left before its request was complete, so there is nobody to answer."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The last of each name."""
    found: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in found}


def request_id_for(given: str) -> str:
    """The client's own where it can stand in a log line; otherwise a new one."""
    return given if _SANE_ID.fullmatch(given) else os.urandom(12).hex()


def token_in(authorization: Any) -> str | None:
    """What comes after `Bearer`; None for everything else, which makes the caller a stranger."""
    match = _TOKEN.fullmatch(authorization) if isinstance(authorization, str) else None
    return match[1] if match else None


def address_of(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


async def read_body(receive: Receive, headers: Headers, limits: Limits, deadlines: Deadlines) -> bytes:
    """Raises RequestRefused for a body too large (413) or too slow (408), Gone for one that breaks off."""
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and (len(announced) > 15 or int(announced) > limits.body):
        raise _too_large(limits)
    try:
        with deadlines.started():
            return await _whole_body(receive, limits)
    except TimeoutError:
        raise RequestRefused("The body took too long to arrive.", status=408) from None


async def _whole_body(receive: Receive, limits: Limits) -> bytes:
    parts: list[bytes] = []
    more, size = True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        more = message.get("more_body", False)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limits.body:
            raise _too_large(limits)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limits: Limits) -> RequestRefused:
    message = f"The body is larger than {limits.body} bytes."
    return RequestRefused(message, status=413, reason="LIMIT_EXCEEDED", limit=limits.body, limit_name="body")
