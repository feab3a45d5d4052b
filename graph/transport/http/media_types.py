"""Media types: what the client can read (Accept) and what it sent (Content-Type)."""

from functools import lru_cache
from typing import Final

from graph.errors.top_level import RequestRefused

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
HTML: Final = "text/html"

_LONGEST: Final = 1_000


def answered_in(accept: str) -> str:
    """The media type of the answer: the client's favourite among ours; application/json where it has none.

    Raises RequestRefused (406) where the client can read none of them.
    """
    chosen = _favourite(accept) if len(accept) <= _LONGEST else None
    if chosen is None:
        raise RequestRefused(f"Answers are {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}.", status=406)
    return chosen


@lru_cache(maxsize=128)
def _favourite(accept: str) -> str | None:
    if not accept.strip():
        return JSON
    wanted = _qualities(accept)
    # The order decides between types that the client likes equally.
    ours = {
        GRAPHQL_RESPONSE: wanted.get(GRAPHQL_RESPONSE, 0.0),
        JSON: wanted.get(JSON, wanted.get("application/*", wanted.get("*/*", 0.0))),
        EVENT_STREAM: wanted.get(EVENT_STREAM, 0.0),
    }
    best = max(ours, key=lambda name: ours[name])
    return best if ours[best] > 0 else None


@lru_cache(maxsize=128)
def wants_page(accept: str) -> bool:
    """Whether this is a browser, which names text/html itself."""
    return len(accept) <= _LONGEST and _qualities(accept).get(HTML, 0.0) > 0


def _qualities(accept: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            qualities[name] = float(quality)
        except ValueError:
            qualities[name] = 0.0
    return qualities


def require_json(content_type: str, encoding: str) -> None:
    """Raises RequestRefused (415) unless a body is JSON in UTF-8. A browser asks before it sends that type abroad."""
    if encoding.lower() not in ("", "identity"):
        raise RequestRefused("The body must not be compressed.", status=415)
    if content_type != JSON and not _is_json(content_type):
        raise RequestRefused(f"The body must be {JSON} in UTF-8; say so in Content-Type.", status=415)


def _is_json(content_type: str) -> bool:
    name, *parameters = (piece.strip() for piece in content_type[:_LONGEST].lower().split(";"))
    charsets = [each[8:].strip('"') for each in parameters if each.startswith("charset=")]
    return name == JSON and all(each in ("utf-8", "utf8") for each in charsets)
