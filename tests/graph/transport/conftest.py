"""The test application behind httpx, and behind uvicorn for tests of sockets and connections."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from graph.server import create_app
from tests.support import transport_server

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def doors_of_the_module() -> transport_server.InMemoryBackend:
    return transport_server.InMemoryBackend()


@pytest.fixture
def doors(doors_of_the_module: transport_server.InMemoryBackend) -> transport_server.InMemoryBackend:
    """Resets what the previous test changed."""
    vars(doors_of_the_module).update(vars(transport_server.InMemoryBackend()))
    return doors_of_the_module


@pytest.fixture
async def http(doors: transport_server.InMemoryBackend) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(schema=transport_server.build_schema(), backend=doors)) as client:
        yield client


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Ask:
    return asking(http)


def asking(client: httpx.AsyncClient) -> Ask:
    async def ask(
        query: str, *, token: str | None = transport_server.VALID_TOKEN, accept: str = "*/*", **more: Any
    ) -> httpx.Response:
        headers = {b"accept": accept.encode()} | ({b"authorization": f"Bearer {token}".encode()} if token else {})
        return await client.post("/graphql", json={"query": query, **more}, headers=headers)

    return ask


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Host and port of a real server with the product's protocols."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        configuration = uvicorn.Config(
            app,
            http="graph.transport.http.uvicorn_protocols:HttpProtocol",
            ws="graph.transport.http.uvicorn_protocols:WebSocketProtocol",
            ws_max_size=1_000_000,
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(configuration)
        running = asyncio.create_task(server.serve(sockets=[door]))
        while not server.started:
            await asyncio.sleep(0.005)
        try:
            yield f"127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@pytest.fixture(scope="module")
async def served_to_the_module(doors_of_the_module: transport_server.InMemoryBackend) -> AsyncIterator[str]:
    async with serving(create_app(schema=transport_server.build_schema(), backend=doors_of_the_module)) as address:
        yield address


@pytest.fixture
def served(served_to_the_module: str, doors: transport_server.InMemoryBackend) -> str:
    """Host and port of a server with `doors` as its backend; one server per module."""
    return served_to_the_module
