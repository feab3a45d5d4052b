"""Too many operations at once, and operations that take too long."""

import asyncio

import httpx
import pytest

from graph.limits import Limits
from graph.server import create_app
from tests.graph.transport.conftest import asking, client_of
from tests.support import transport_server


def client(doors: transport_server.InMemoryBackend, limits: Limits) -> httpx.AsyncClient:
    return client_of(create_app(schema=transport_server.build_schema(limits), backend=doors))


async def test_an_operation_that_takes_too_long_is_stopped(doors: transport_server.InMemoryBackend) -> None:
    async with client(doors, Limits(operation_seconds=0.05)) as http:
        answer = await asking(http)("{ slow(seconds: 5) }")
    assert answer.status_code == 504
    told = answer.json()["errors"][0]["extensions"]
    assert (told["code"], told["limit"]) == ("TIMEOUT", 0.05)
    assert "data" not in answer.json()


async def test_what_finds_no_place_is_sent_away_at_once(doors: transport_server.InMemoryBackend) -> None:
    async with client(doors, Limits(running_operations=2, waiting_operations=1)) as http:
        ask = asking(http)
        answers = await asyncio.gather(*(ask("{ slow(seconds: 0.1) }") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503, 503]
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
        assert (await ask("{ slow(seconds: 0) }")).status_code == 200


async def test_what_waits_too_long_is_sent_away(doors: transport_server.InMemoryBackend) -> None:
    async with client(doors, Limits(running_operations=1, waiting_seconds=0.05)) as http:
        ask = asking(http)
        answers = await asyncio.gather(*(ask("{ slow(seconds: 0.2) }") for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
        assert (await ask("{ slow(seconds: 0) }")).status_code == 200


async def test_waiting_for_a_place_is_not_running(doors: transport_server.InMemoryBackend) -> None:
    async with client(doors, Limits(running_operations=1, operation_seconds=0.15)) as http:
        ask = asking(http)
        answers = await asyncio.gather(*(ask("{ slow(seconds: 0.1) }") for _ in range(3)))
        assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_a_place_is_free_again_after_a_timeout(doors: transport_server.InMemoryBackend) -> None:
    async with client(doors, Limits(running_operations=1, operation_seconds=0.05)) as http:
        ask = asking(http)
        for _ in range(3):
            assert (await ask("{ slow(seconds: 5) }")).status_code == 504
        assert (await ask("{ slow(seconds: 0) }")).status_code == 200


async def test_a_time_limit_from_below_is_not_the_operations(
    doors: transport_server.InMemoryBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def authenticate(token: str) -> None:
        raise TimeoutError("no connection")

    monkeypatch.setattr(doors, "authenticate", authenticate)
    async with client(doors, Limits()) as http:
        answer = await asking(http)("{ me { name } }")
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert len(caplog.records) == 1
