"""Origins: which pages of other sites may open a socket. Browsers apply CORS to requests, not to sockets."""

from collections.abc import Collection

from strawberry.http.websocket_origin import is_same_origin, normalize_origin


def may_open(headers: dict[str, str], allowed: Collection[str]) -> bool:
    """True for what is no browser, for pages of this server, and for the origins allowed; "*" allows all."""
    origin = headers.get("origin")
    if origin is None or "*" in allowed or is_same_origin(origin, headers.get("host")):
        return True
    return normalize_origin(origin) in allowed
