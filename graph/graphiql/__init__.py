"""GraphiQL, the browser page for trying GraphQL. This server serves all of it, without a third party.

`graphiql_response` returns the page and `static_files_route` serves the assets that it loads. The assets in `static/`
are built from `source/`; see README.md beside this file.
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

_ENTRY_MODULE = "main.jsx"
_ICON = (
    "data:image/svg+xml,"
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='7' fill='%23d60590'/%3E"
    "%3Cpath d='M11 6a3.5 3.5 0 1 0 0 4' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E"
)


def graphiql_response(*, endpoint: str, token: str | None = None, assets: str = ASSETS_PATH) -> HTMLResponse:
    """The page with its headers. It contains the token, so browsers must not cache or frame it."""
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
    """The HTML.

    `endpoint` is the path for POST and the WebSocket, `assets` the path of `static_files_route`. With a token, every
    request of the page carries it. Without one, the first tab signs in.
    """
    tabs = starters.SIGNED_IN_TABS if token else starters.SIGNED_OUT_TABS
    configuration = {"endpoint": endpoint, "token": token, "tabs": [tab.as_tab() for tab in tabs]}
    root = escape(assets.rstrip("/"))
    scripts, styles = _asset_files()
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
    """Allows this server only. 'self' of connect-src includes a WebSocket of the same origin.

    Monaco writes its theme into <style> elements, which the nonce allows. It positions lines by style attributes, which
    can only be allowed as a whole.
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


def static_files_route(path: str = ASSETS_PATH) -> Mount:
    """The route of the assets. They are the same for everyone, so they need no sign-in."""
    return Mount(path, app=_Assets(directory=STATIC_DIRECTORY), name="graphiql")


class _Assets(StaticFiles):
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, *arguments: Any, **options: Any
    ) -> Response:
        response = super().file_response(full_path, stat_result, *arguments, **options)
        # A web worker obeys the policy of its own script, not that of the page that starts it.
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if Path(full_path).suffix in {".js", ".css", ".ttf"}:
            # Their names contain a hash of their content.
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@cache
def _asset_files() -> tuple[list[str], list[str]]:
    """The scripts and styles that the page loads, each after its imports. The entry module is the last script."""
    manifest: dict[str, dict[str, Any]] = json.loads((STATIC_DIRECTORY / "manifest.json").read_text("utf-8"))
    visited: dict[str, dict[str, Any]] = {}

    def visit(key: str) -> None:
        if key not in visited:
            for imported in manifest[key].get("imports", ()):
                visit(imported)
            visited[key] = manifest[key]

    visit(_ENTRY_MODULE)
    chunks = list(visited.values())
    return [chunk["file"] for chunk in chunks], [name for chunk in chunks for name in chunk.get("css", ())]


def _json_in_html(value: object) -> str:
    """JSON that cannot end its HTML element. json.dumps escapes everything that is not ASCII."""
    return json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
