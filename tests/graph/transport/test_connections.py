"""What clients do to the connection itself, against a real server with plain sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from graph.limits import Limits
from graph.server import create_app
from graph.transport.http.uvicorn_protocols import HttpProtocol
from tests.graph.transport.conftest import serving
from tests.support import transport_server

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEADERS = (
    b"host: x\r\ncontent-type: application/json\r\nauthorization: Bearer "
    + transport_server.VALID_TOKEN.encode()
    + b"\r\n"
)
QUERY = b'{"query": "{ __typename }"}'


@asynccontextmanager
async def wired(address: str) -> AsyncIterator[Wire]:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def said(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes."""
    return await asyncio.wait_for(reader.read(), 5)


async def status(reader: asyncio.StreamReader) -> int:
    return int((await asyncio.wait_for(reader.readline(), 5)).split()[1])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "max_header_seconds", 0.1)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "start", [b"", b"P", b"POST /graphql HTTP/1.1\r\nhost: x\r\n", b"POST /graphql HTTP/1.1\r\nx: "]
)
async def test_headers_that_do_not_come_are_not_waited_for(served: str, start: bytes) -> None:
    async with wired(served) as (reader, writer):
        writer.write(start)
        assert (await said(reader)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("quick")
async def test_headers_that_drip_are_not_waited_for(served: str) -> None:
    async with wired(served) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\n")
        # The first line alone: what is written after the server closed resets the connection.
        answer = asyncio.ensure_future(reader.readline())
        while not answer.done():
            writer.write(b"x: y\r\n")
            await asyncio.sleep(0.02)
        assert answer.result().startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("quick")
async def test_a_connection_may_be_used_again_after_a_while(served: str) -> None:
    request = b"POST /graphql HTTP/1.1\r\n" + HEADERS + b"content-length: %d\r\n\r\n" % len(QUERY) + QUERY
    async with wired(served) as (reader, writer):
        for _ in range(2):
            writer.write(request)
            assert await status(reader) == 200
            await reader.readuntil(b'"Query"}}')
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"x: " + b"y" * 40_000 + b"\r\n\r\n", id="one that is long"),
        pytest.param(b"x: y\r\n" * 8_000 + b"\r\n", id="many"),
        pytest.param(b"x: " + b"y" * 200_000, id="without an end"),
    ],
)
async def test_headers_are_limited(served: str, headers: bytes) -> None:
    async with wired(served) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\n" + headers)
        assert await status(reader) == 431


async def test_a_long_address_counts_as_a_header(served: str) -> None:
    async with wired(served) as (reader, writer):
        writer.write(b"GET /graphql?query=" + b"x" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await status(reader) == 431


async def test_headers_within_the_limit_are_served(served: str) -> None:
    async with wired(served) as (reader, writer):
        writer.write(b"GET /health/live HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 30_000 + b"\r\n\r\n")
        assert await status(reader) == 200


@pytest.mark.parametrize(
    "request_line",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"\r\n" * 9 + b"x",
    ],
)
async def test_what_is_not_http_is_400(served: str, caplog: pytest.LogCaptureFixture, request_line: bytes) -> None:
    async with wired(served) as (reader, writer):
        writer.write(request_line)
        assert await status(reader) in (400, 404)
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("sent", [b"", b'{"query": '])
async def test_a_body_that_does_not_come_is_not_waited_for(
    doors: transport_server.InMemoryBackend, sent: bytes
) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(body_seconds=0.1)), backend=doors)
    async with serving(app) as address, wired(address) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\n" + HEADERS + b"content-length: 100\r\n\r\n" + sent)
        answer = await said(reader)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"requestId" in answer


async def test_a_body_that_is_announced_too_large_is_not_read(served: str) -> None:
    async with wired(served) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\n" + HEADERS + b"content-length: 1000001\r\n\r\n")
        assert (await said(reader)).startswith(b"HTTP/1.1 413 ")


async def test_a_body_in_chunks_is_limited_too(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(body_bytes=10)), backend=doors)
    async with serving(app) as address, wired(address) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\n" + HEADERS + b"transfer-encoding: chunked\r\n\r\n")
        writer.write(b"b\r\n" + b"x" * 11 + b"\r\n")
        assert (await said(reader)).startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_leaves_in_the_middle_leaves_no_trace(
    served: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with wired(served) as (_, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\n" + HEADERS + b"content-length: 100\r\n\r\n{")
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    assert caplog.records == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"", id="no key"),
        pytest.param(b"sec-websocket-key: x\r\nsec-websocket-version: 13\r\n", id="a short key"),
        pytest.param(b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 99\r\n", id="a version"),
    ],
)
async def test_a_handshake_that_is_none_is_refused(
    served: str, caplog: pytest.LogCaptureFixture, headers: bytes
) -> None:
    async with wired(served) as (reader, writer):
        writer.write(
            b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n" + headers + b"\r\n"
        )
        assert 400 <= await status(reader) < 500
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(b"\x81\x05hello", id="not masked"),
        pytest.param(b"\xf1\x80\0\0\0\0", id="reserved bits"),
        pytest.param(b"\x83\x80\0\0\0\0", id="an unknown kind"),
        pytest.param(b"\x80\x80\0\0\0\0", id="a continuation of nothing"),
        pytest.param(b"\x89\xfe\x01\x00" + b"\0" * 260, id="a long ping"),
        pytest.param(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", id="endless"),
        pytest.param(b"\x88\x81\0\0\0\0x", id="a close of one byte"),
    ],
)
async def test_frames_that_are_none_close_the_socket(
    served: str, caplog: pytest.LogCaptureFixture, frames: bytes
) -> None:
    async with wired(served) as (reader, writer):
        writer.write(
            b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frames)
        await said(reader)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
