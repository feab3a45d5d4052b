"""graphql-transport-ws against a real server."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from graph.limits import Limits
from graph.server import create_app
from tests.graph.transport.conftest import serving
from tests.support import transport_server

PROTOCOL = Subprotocol("graphql-transport-ws")
BEARER = f"Bearer {transport_server.VALID_TOKEN}"


@asynccontextmanager
async def opened(address: str, **given: Any) -> AsyncIterator[ClientConnection]:
    given = {"subprotocols": [PROTOCOL], "proxy": None, "open_timeout": 5, "close_timeout": 1} | given
    async with connect(f"ws://{address}/graphql", **given) as socket:
        yield socket


@asynccontextmanager
async def greeted(address: str) -> AsyncIterator[ClientConnection]:
    async with opened(address) as socket:
        await say(socket, type="connection_init", payload={"authorization": BEARER})
        assert await heard(socket) == {"type": "connection_ack"}
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def subscribe(socket: ClientConnection, query: str, id: str = "1", **payload: Any) -> None:
    await say(socket, id=id, type="subscribe", payload={"query": query, **payload})


async def heard(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    """How the server closes, after whatever it still says."""
    with suppress(ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), 5)
    return socket.close_code, socket.close_reason


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ me { name } }", {"me": {"name": "ada"}}),
        ('mutation { rename(name: "eve") { name } }', {"rename": {"name": "eve"}}),
    ],
)
async def test_queries_and_mutations_are_answered(served: str, query: str, data: Any) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, query)
        assert await heard(socket) == {"id": "1", "type": "next", "payload": {"data": data}}
        assert await heard(socket) == {"id": "1", "type": "complete"}


async def test_a_subscription_runs_to_its_end(served: str) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, "subscription S($to: Int!) { count(to: $to) }", variables={"to": 3}, operationName="S")
        told = [await heard(socket) for _ in range(4)]
        assert [each.get("payload") for each in told] == [{"data": {"count": n}} for n in range(3)] + [None]
        await subscribe(socket, "{ __typename }")
        assert (await heard(socket))["payload"] == {"data": {"__typename": "Query"}}


async def test_a_client_ends_a_subscription(served: str) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, "subscription { count(to: 1000, pause: 0.01) }")
        await heard(socket)
        await say(socket, id="1", type="complete")
        await say(socket, type="ping")
        while (told := await heard(socket))["type"] == "next":
            pass
        assert told == {"type": "pong"}
        await subscribe(socket, "{ __typename }")
        assert (await heard(socket))["type"] == "next"


async def test_each_operation_has_a_context_of_its_own(served: str, doors: transport_server.InMemoryBackend) -> None:
    async with greeted(served) as socket:
        for name in "123":
            await subscribe(socket, "{ __typename }", id=name)
            await heard(socket)
            await heard(socket)
    assert len({id(context) for context in doors.contexts}) == 3
    assert len({context.caller.request_id for context in doors.contexts}) == 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
        ("{ __typename } query B { __typename }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_error_ends_the_operation_not_the_socket(served: str, query: str, code: str) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, query)
        told = await heard(socket)
        assert (told["id"], told["type"]) == ("1", "error")
        assert told["payload"][0]["extensions"]["code"] == code
        assert told["payload"][0]["extensions"]["requestId"]
        await subscribe(socket, "{ __typename }")
        assert (await heard(socket))["type"] == "next"


async def test_a_subscription_that_breaks_is_masked(served: str, caplog: pytest.LogCaptureFixture) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, "subscription { breaks }")
        assert (await heard(socket))["payload"] == {"data": {"breaks": 1}}
        told = json.dumps(await heard(socket))
    assert "INTERNAL" in told
    assert "hunter2" not in told
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


@pytest.mark.parametrize("payload", [None, {}, {"authorization": "Bearer nope"}, {"authorization": 1}, {"token": "x"}])
async def test_a_stranger_is_refused(served: str, payload: Any) -> None:
    async with opened(served) as socket:
        await say(socket, type="connection_init", payload=payload)
        assert await closed(socket) == (4403, "Forbidden")


async def test_the_handshake_may_carry_the_token(served: str) -> None:
    async with opened(served, additional_headers={"Authorization": BEARER}) as socket:
        await say(socket, type="connection_init")
        assert await heard(socket) == {"type": "connection_ack"}


async def test_a_revoked_token_runs_nothing_more(served: str, doors: transport_server.InMemoryBackend) -> None:
    async with greeted(served) as socket:
        doors.tokens.clear()
        await subscribe(socket, "{ me { name } }")
        assert (await heard(socket))["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await closed(socket) == (4403, "Forbidden")


async def test_a_revoked_token_closes_an_idle_socket(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(recheck_seconds=0.05)), backend=doors)
    async with serving(app) as address, greeted(address) as socket:
        await subscribe(socket, "subscription { count(to: 1000, pause: 0.5) }")
        doors.tokens.clear()
        assert await closed(socket) == (4403, "Forbidden")


async def test_a_database_that_is_gone_closes_no_socket(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(recheck_seconds=0.02)), backend=doors)
    async with serving(app) as address, greeted(address) as socket:
        doors.is_database_down = True
        await asyncio.sleep(0.1)
        await subscribe(socket, "{ __typename }")
        assert (await heard(socket))["payload"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_new_socket_waits_for_the_database(served: str, doors: transport_server.InMemoryBackend) -> None:
    doors.is_database_down = True
    async with opened(served) as socket:
        await say(socket, type="connection_init", payload={"authorization": BEARER})
        assert await closed(socket) == (1013, "Try again later")


MALFORMED = [
    pytest.param("", id="nothing"),
    pytest.param("{", id="cut off"),
    pytest.param("null", id="null"),
    pytest.param("1", id="a number"),
    pytest.param("[]", id="a list"),
    pytest.param("{}", id="no type"),
    pytest.param('{"type": 1}', id="type as number"),
    pytest.param('{"type": ["ping"]}', id="type as list"),
    pytest.param('{"type": "nothing"}', id="unknown type"),
    pytest.param("[" * 50_000, id="deep"),
    pytest.param(b"\x00\x01", id="binary"),
]


@pytest.mark.parametrize(
    "frame",
    [
        *MALFORMED,
        pytest.param('{"type": "subscribe"}', id="no id"),
        pytest.param('{"type": "subscribe", "id": 1, "payload": {"query": "{a}"}}', id="id as number"),
        pytest.param('{"type": "subscribe", "id": "", "payload": {"query": "{a}"}}', id="an empty id"),
        pytest.param('{"type": "subscribe", "id": "' + "x" * 300 + '"}', id="a long id"),
        pytest.param('{"type": "subscribe", "id": "1"}', id="no payload"),
        pytest.param('{"type": "subscribe", "id": "1", "payload": []}', id="payload as list"),
        pytest.param('{"type": "subscribe", "id": "1", "payload": {}}', id="no query"),
        pytest.param('{"type": "subscribe", "id": "1", "payload": {"query": 1}}', id="query as number"),
        pytest.param('{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": 1}}', id="variables"),
        pytest.param('{"type": "complete"}', id="complete without id"),
        pytest.param('{"type": "complete", "id": {}}', id="complete with another id"),
    ],
)
async def test_a_malformed_frame_closes_the_socket(
    served: str, caplog: pytest.LogCaptureFixture, frame: str | bytes
) -> None:
    async with greeted(served) as socket:
        await socket.send(frame)
        assert (await closed(socket))[0] == 4400
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("frame", MALFORMED)
async def test_so_it_does_before_the_greeting(
    served: str, caplog: pytest.LogCaptureFixture, frame: str | bytes
) -> None:
    async with opened(served) as socket:
        await socket.send(frame)
        assert (await closed(socket))[0] == 4400
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_text_that_is_no_utf_8_closes_the_socket(served: str, caplog: pytest.LogCaptureFixture) -> None:
    async with greeted(served) as socket:
        await socket.send(b"\xff\xfe", text=True)
        assert (await closed(socket))[0] == 1007
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_message_that_is_too_large_closes_the_socket(served: str) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, "{ __typename } # " + "x" * 1_000_000)
        assert (await closed(socket))[0] == 1009


async def test_rules_of_the_protocol(served: str) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "{ __typename }")
        assert await closed(socket) == (4401, "Unauthorized")
    async with greeted(served) as socket:
        await say(socket, type="connection_init")
        assert await closed(socket) == (4429, "Too many initialisation requests")
    async with greeted(served) as socket:
        await subscribe(socket, "subscription { count(to: 9, pause: 1) }")
        await subscribe(socket, "subscription { count(to: 9, pause: 1) }")
        assert await closed(socket) == (4409, "Subscriber for 1 already exists")
    async with opened(served, subprotocols=None) as socket:
        assert await closed(socket) == (4406, "Subprotocol not acceptable")


async def test_a_socket_that_says_nothing_is_closed(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(init_seconds=0.05)), backend=doors)
    async with serving(app) as address, opened(address) as socket:
        assert await closed(socket) == (4408, "Connection initialisation timeout")


async def test_operations_of_a_socket_are_limited(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(operations_per_socket=2)), backend=doors)
    async with serving(app) as address, greeted(address) as socket:
        for id in "123":
            await subscribe(socket, "subscription { count(to: 9, pause: 1) }", id=id)
        told = await heard(socket)
        assert (told["id"], told["type"]) == ("3", "error")
        assert told["payload"][0]["extensions"]["limit"] == 2


async def test_sockets_of_a_caller_are_limited(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(streams_per_caller=1)), backend=doors)
    async with serving(app) as address:
        async with greeted(address), opened(address) as second:
            await say(second, type="connection_init", payload={"authorization": BEARER})
            assert await closed(second) == (4429, "Too many sockets")
        await asyncio.sleep(0.05)
        async with greeted(address):
            pass


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        ("https://app.example", True),
        ("https://APP.example:443", True),
        ("https://evil.example", False),
        ("https://app.example.evil.example", False),
        ("null", False),
        ("http://[", False),
        ("{own}", True),
    ],
)
async def test_pages_of_other_sites_are_kept_out(
    doors: transport_server.InMemoryBackend, origin: str, welcome: bool
) -> None:
    app = create_app(schema=transport_server.build_schema(), backend=doors, allowed_origins=["https://app.example"])
    async with serving(app) as address:
        origin = origin.format(own=f"http://{address}") if "{" in origin else origin
        refused = nullcontext() if welcome else pytest.raises(InvalidStatus, match="403")
        with refused:
            async with opened(address, additional_headers={"Origin": origin}):
                pass


async def test_a_server_that_stops_says_so(doors: transport_server.InMemoryBackend) -> None:
    async with serving(create_app(schema=transport_server.build_schema(), backend=doors)) as address:
        socket = await connect(f"ws://{address}/graphql", subprotocols=[PROTOCOL], proxy=None)
    assert (await closed(socket))[0] == 1012


async def test_a_value_that_cannot_be_written_ends_the_operation(served: str) -> None:
    async with greeted(served) as socket:
        await subscribe(socket, "{ surrogate }")
        told = await heard(socket)
        assert (told["id"], told["type"]) == ("1", "error")
        assert told["payload"][0]["extensions"]["code"] == "INTERNAL"


async def test_clients_that_vanish_leave_no_trace(served: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        async with greeted(served) as socket:
            for name in "abc":
                await subscribe(socket, "subscription { count(to: 100000) }", id=name)
            await heard(socket)
            socket.transport.abort()
    await asyncio.sleep(0.1)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
