"""The origins that may open a WebSocket. Browsers apply CORS to HTTP requests, but not to WebSockets."""

from collections.abc import Collection

from strawberry.http.websocket_origin import is_same_origin, normalize_origin


def is_origin_allowed(headers: dict[str, str], allowed: Collection[str]) -> bool:
    """True for clients that are not browsers, pages of this server, and the allowed origins. "*" allows all."""
    origin = headers.get("origin")
    if origin is None or "*" in allowed or is_same_origin(origin, headers.get("host")):
        return True
    return normalize_origin(origin) in allowed
