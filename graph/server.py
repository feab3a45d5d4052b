"""The Starlette application: routes, middleware, startup and shutdown."""

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
    """Starlette with a shortcut past its routing and middleware for /graphql, which most requests ask for."""

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
    graphiql_page: Callable[[HTTPConnection], Response] | None = None,
    routes: Sequence[BaseRoute] = (),
    trusted_documents: TrustedDocuments | None = None,
) -> Starlette:
    """The ASGI application of the server.

    `graphiql_page` creates the page for browsers at /graphql. `routes` are served beside it. With `trusted_documents`,
    no other documents run. Serve the application with the protocols of `graph.transport.http.uvicorn_protocols`, which
    enforce the limits on headers.
    """
    metrics = Metrics()
    runner = OperationRunner(schema, backend, metrics, trusted_documents=trusted_documents)
    graphql: ASGIApp = GraphQLOverHTTP(runner, graphiql_page)
    middleware = [Middleware(RequestMiddleware), *_cors_middleware(allowed_origins)]
    return Application(
        _wrap(graphql, middleware),
        routes=[
            Route(GRAPHQL_PATH, graphql),
            WebSocketRoute(GRAPHQL_PATH, GraphQLOverWebsocket(runner, allowed_origins)),
            Route("/health/live", _live),
            Route("/health/ready", _readiness_endpoint(backend)),
            Route("/metrics", _metrics_endpoint(metrics)),
            *routes,
        ],
        middleware=middleware,
        lifespan=_lifespan(backend),
    )


def _wrap(app: ASGIApp, middleware: Sequence[Middleware]) -> ASGIApp:
    for layer in reversed(middleware):
        app = layer.cls(app, *layer.args, **layer.kwargs)
    return app


def _lifespan(backend: Backend) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await backend.startup()
        try:
            yield
        finally:
            await backend.shutdown()

    return lifespan


def _cors_middleware(allowed_origins: Collection[str]) -> list[Middleware]:
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


def _readiness_endpoint(backend: Backend) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        problem = await backend.readiness_problem()
        body = {"ready": problem is None, "reason": problem}
        return JSONResponse(body, status_code=200 if problem is None else 503)

    return ready


def _metrics_endpoint(metrics: Metrics) -> Callable[[Request], Awaitable[Response]]:
    async def page(_: Request) -> Response:
        # Imported at the first request, because the start of a server has no time for prometheus_client.
        from graph.transport.observability import prometheus

        return Response(prometheus.render_metrics(metrics), media_type=prometheus.MEDIA_TYPE)

    return page
