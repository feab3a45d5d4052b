"""Content negotiation: the media types that a client accepts (Accept) and sends (Content-Type)."""

from functools import lru_cache
from typing import Final

from graph.errors.top_level import RequestRefused

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
HTML: Final = "text/html"

_MAX_HEADER_CHARACTERS: Final = 1_000


def negotiate_media_type(accept: str) -> str:
    """The response's media type: the supported type that the client prefers, application/json without a preference.

    Raises RequestRefused (406) if the client accepts none of the supported types.
    """
    media_type = _preferred_type(accept) if len(accept) <= _MAX_HEADER_CHARACTERS else None
    if media_type is None:
        message = f"The server answers with {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}. Accept one of them."
        raise RequestRefused(message, status=406)
    return media_type


@lru_cache(maxsize=128)
def _preferred_type(accept: str) -> str | None:
    if not accept.strip():
        return JSON
    accepted = _qualities(accept)
    # The order decides between types of equal quality.
    qualities = {
        GRAPHQL_RESPONSE: accepted.get(GRAPHQL_RESPONSE, 0.0),
        JSON: accepted.get(JSON, accepted.get("application/*", accepted.get("*/*", 0.0))),
        EVENT_STREAM: accepted.get(EVENT_STREAM, 0.0),
    }
    best = max(qualities, key=lambda name: qualities[name])
    return best if qualities[best] > 0 else None


@lru_cache(maxsize=128)
def accepts_html(accept: str) -> bool:
    """Whether the client is a browser, which lists text/html."""
    return len(accept) <= _MAX_HEADER_CHARACTERS and _qualities(accept).get(HTML, 0.0) > 0


def _qualities(accept: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (field.strip() for field in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            qualities[name] = float(quality)
        except ValueError:
            qualities[name] = 0.0
    return qualities


def require_json(content_type: str, encoding: str) -> None:
    """Raises RequestRefused (415) unless a body is JSON in UTF-8.

    Browsers send this type to other origins only after a CORS preflight request.
    """
    if encoding.lower() not in ("", "identity"):
        raise RequestRefused("The body must not be compressed.", status=415)
    if content_type != JSON and not _is_json(content_type):
        raise RequestRefused(f"The body must be {JSON} in UTF-8. Set Content-Type accordingly.", status=415)


def _is_json(content_type: str) -> bool:
    name, *parameters = (part.strip() for part in content_type[:_MAX_HEADER_CHARACTERS].lower().split(";"))
    charsets = [each[8:].strip('"') for each in parameters if each.startswith("charset=")]
    return name == JSON and all(each in ("utf-8", "utf8") for each in charsets)
