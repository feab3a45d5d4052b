"""The Starlette application: the addresses, the start and the end, and what stands around every request."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from graph.transport.http.graphql_http import GraphQLOverHTTP
from graph.transport.http.middleware import Envelope
from graph.transport.observability.metrics import Metrics
from graph.transport.operations import Operations
from graph.transport.ports import Doors
from graph.transport.schema import Schema
from graph.transport.trusted_documents import Manifest
from graph.transport.websocket import GraphQLOverWebsocket

PATH: Final = "/graphql"


class Application(Starlette):
    """Starlette with a way past its routing and its own middleware for the address that nearly every request asks."""

    def __init__(self, graphql: ASGIApp, **options: Any) -> None:
        super().__init__(**options)
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    *,
    schema: Schema,
    doors: Doors,
    allowed_origins: Collection[str] = (),
    graphiql: Callable[[HTTPConnection], Response] | None = None,
    routes: Sequence[BaseRoute] = (),
    trusted: Manifest | None = None,
) -> Starlette:
    """Everything this process answers. `graphiql` makes the page for a browser; `routes` are the other addresses;
    with a manifest of `trusted` documents nothing else runs.

    Serve it with the protocols of `graph.protocol.connections`, which keep the limits on headers.
    """
    metrics = Metrics()
    operations = Operations(schema, doors, metrics, trusted=trusted)
    graphql: ASGIApp = GraphQLOverHTTP(operations, graphiql)
    around = [Middleware(Envelope), *_cors(allowed_origins)]
    return Application(
        _wrapped(graphql, around),
        routes=[
            Route(PATH, graphql),
            WebSocketRoute(PATH, GraphQLOverWebsocket(operations, allowed_origins)),
            Route("/health/live", _live),
            Route("/health/ready", _readiness(doors)),
            Route("/metrics", metrics.page),
            *routes,
        ],
        middleware=around,
        lifespan=_lifespan(doors),
    )


def _wrapped(app: ASGIApp, around: Sequence[Middleware]) -> ASGIApp:
    for each in reversed(around):
        app = each.cls(app, *each.args, **each.kwargs)
    return app


def _lifespan(doors: Doors) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await doors.startup()
        try:
            yield
        finally:
            await doors.shutdown()

    return lifespan


def _cors(allowed_origins: Collection[str]) -> list[Middleware]:
    if not allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["x-request-id", "retry-after"],
            max_age=7200,
        )
    ]


async def _live(_: Request) -> Response:
    return PlainTextResponse("live")


def _readiness(doors: Doors) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        reason = await doors.ready()
        body = {"ready": reason is None, "reason": reason}
        return JSONResponse(body, status_code=200 if reason is None else 503)

    return ready
