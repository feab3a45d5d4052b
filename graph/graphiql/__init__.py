"""The page for trying GraphQL by hand: GraphiQL, with every byte of it served from here.

`response` answers a browser at the GraphQL address and `static_files` the assets it loads.
The assets are built from `source/` and kept in `static/`; see README.md beside this file.
"""

import json
import os
import secrets
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from graph.graphiql import starters

STATIC_DIRECTORY = Path(__file__).parent / "static"
ASSETS_PATH = "/graphiql"

_ENTRY = "main.jsx"
_ICON = (
    "data:image/svg+xml,"
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='7' fill='%23d60590'/%3E"
    "%3Cpath d='M11 6a3.5 3.5 0 1 0 0 4' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E"
)


def graphiql_response(*, endpoint: str, token: str | None = None, assets: str = ASSETS_PATH) -> HTMLResponse:
    """The page with the headers it needs. It holds the token, so nothing may cache it or frame it."""
    nonce = secrets.token_urlsafe(16)
    headers = {
        "Content-Security-Policy": content_security_policy(nonce=nonce),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return HTMLResponse(render_page(endpoint=endpoint, token=token, nonce=nonce, assets=assets), headers=headers)


def render_page(*, endpoint: str, token: str | None, nonce: str, assets: str = ASSETS_PATH) -> str:
    """The HTML. `endpoint` and `assets` are paths on this server, for POST and the websocket, and for `static_files`.

    With a token every request carries it; without one the first tab is the one that signs in.
    """
    tabs = starters.SIGNED_IN_TABS if token else starters.SIGNED_OUT_TABS
    configuration = {"endpoint": endpoint, "token": token, "tabs": [tab.as_tab() for tab in tabs]}
    root = escape(assets.rstrip("/"))
    scripts, styles = _files()
    *imported, entry = scripts
    links = [f'<link rel="modulepreload" href="{root}/{name}">' for name in imported]
    links += [f'<link rel="stylesheet" href="{root}/{name}">' for name in styles]
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Clientela GraphiQL</title>
<link rel="icon" href="{_ICON}">
{chr(10).join(links)}
<script type="application/json" id="configuration" nonce="{escape(nonce)}">{_json_in_html(configuration)}</script>
<script type="module" src="{root}/{entry}"></script>
</head>
<body>
<div id="graphiql"><noscript>GraphiQL needs JavaScript.</noscript></div>
</body>
</html>
"""


def content_security_policy(*, nonce: str) -> str:
    """All from this server and nothing else; 'self' of connect-src takes in the websocket of the same origin.

    Monaco writes its theme into <style> elements, which the nonce allows, and positions lines of text
    by style attributes, which can be allowed as a whole only.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src-elem 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            "worker-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def static_files_route(address: str = ASSETS_PATH) -> Mount:
    """The route of the assets, which need no sign-in: they are the same for everyone."""
    return Mount(address, app=_Assets(directory=STATIC_DIRECTORY), name="graphiql")


class _Assets(StaticFiles):
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, *given: Any, **named: Any
    ) -> Response:
        answer = super().file_response(full_path, stat_result, *given, **named)
        # A worker obeys the policy of its own script, not that of the page that starts it.
        answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        if Path(full_path).suffix in {".js", ".css", ".ttf"}:
            # Their names change with their content.
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


@cache
def _files() -> tuple[list[str], list[str]]:
    """The scripts the page starts with and their styles, each after those it builds upon; the entry is the last."""
    manifest: dict[str, dict[str, Any]] = json.loads((STATIC_DIRECTORY / "manifest.json").read_text("utf-8"))
    seen: dict[str, dict[str, Any]] = {}

    def visit(key: str) -> None:
        if key not in seen:
            for imported in manifest[key].get("imports", ()):
                visit(imported)
            seen[key] = manifest[key]

    visit(_ENTRY)
    chunks = list(seen.values())
    return [chunk["file"] for chunk in chunks], [name for chunk in chunks for name in chunk.get("css", ())]


def _json_in_html(value: object) -> str:
    """JSON that cannot end the element it stands in: json.dumps has escaped all but ASCII already."""
    return json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
