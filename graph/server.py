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
from graph.transport.http.middleware import RequestMiddleware
from graph.transport.observability.metrics import Metrics
from graph.transport.operations import OperationRunner
from graph.transport.ports import Backend
from graph.transport.schema import Schema
from graph.transport.trusted_documents import TrustedDocuments
from graph.transport.websocket import GraphQLOverWebsocket

GRAPHQL_PATH: Final = "/graphql"


class Application(Starlette):
    """Starlette with a way past its routing and its own middleware for the address that nearly every request asks."""

    def __init__(self, graphql: ASGIApp, **options: Any) -> None:
        super().__init__(**options)
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == GRAPHQL_PATH:
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    *,
    schema: Schema,
    backend: Backend,
    allowed_origins: Collection[str] = (),
    graphiql: Callable[[HTTPConnection], Response] | None = None,
    routes: Sequence[BaseRoute] = (),
    trusted_documents: TrustedDocuments | None = None,
) -> Starlette:
    """Everything this process answers. `graphiql` makes the page for a browser; `routes` are the other addresses;
    with a manifest of `trusted` documents nothing else runs.

    Serve it with the protocols of `graph.protocol.connections`, which keep the limits on headers.
    """
    metrics = Metrics()
    operations = OperationRunner(schema, backend, metrics, trusted_documents=trusted_documents)
    graphql: ASGIApp = GraphQLOverHTTP(operations, graphiql)
    around = [Middleware(RequestMiddleware), *_cors(allowed_origins)]
    return Application(
        _wrapped(graphql, around),
        routes=[
            Route(GRAPHQL_PATH, graphql),
            WebSocketRoute(GRAPHQL_PATH, GraphQLOverWebsocket(operations, allowed_origins)),
            Route("/health/live", _live),
            Route("/health/ready", _readiness(backend)),
            Route("/metrics", metrics.page),
            *routes,
        ],
        middleware=around,
        lifespan=_lifespan(backend),
    )


def _wrapped(app: ASGIApp, around: Sequence[Middleware]) -> ASGIApp:
    for each in reversed(around):
        app = each.cls(app, *each.args, **each.kwargs)
    return app


def _lifespan(doors: Backend) -> Lifespan[Starlette]:
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


def _readiness(doors: Backend) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        reason = await doors.readiness_problem()
        body = {"ready": reason is None, "reason": reason}
        return JSONResponse(body, status_code=200 if reason is None else 503)

    return ready
