"""Event streams against a real server, where a client can really leave."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from graph.limits import Limits
from graph.server import create_app
from tests.graph.transport.conftest import serving
from tests.support import transport_server

HEADERS = {"authorization": f"Bearer {transport_server.VALID_TOKEN}", "accept": "text/event-stream"}


@pytest.fixture
async def client(served: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{served}", trust_env=False, headers=HEADERS) as client:
        yield client


async def test_a_subscription_is_a_stream_of_events(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": "subscription { count(to: 2) }"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-request-id"]
    assert answer.text == (
        'event: next\ndata: {"data":{"count":0}}\n\n'
        'event: next\ndata: {"data":{"count":1}}\n\n'
        "event: complete\ndata: \n\n"
    )


async def test_a_query_is_one_event(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": "{ me { name } }"})
    assert answer.text == 'event: next\ndata: {"data":{"me":{"name":"ada"}}}\n\nevent: complete\ndata: \n\n'


async def test_a_request_error_is_an_event_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": "subscription { nothing }"})
    assert answer.status_code == 200
    assert "GRAPHQL_VALIDATION_FAILED" in answer.text
    assert answer.text.endswith("event: complete\ndata: \n\n")


async def test_get_streams_no_mutation(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": 'mutation { rename(name: "x") { name } }'})
    assert "rename" not in answer.text
    assert "OPERATION_NOT_ALLOWED_HERE" in answer.text


async def test_a_stranger_gets_no_stream(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/graphql", json={"query": "subscription { count(to: 1) }"}, headers={"authorization": ""}
    )
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/graphql-response+json")


async def test_a_malformed_request_gets_no_stream(client: httpx.AsyncClient) -> None:
    assert (await client.post("/graphql", json=[])).status_code == 400


async def test_a_client_that_leaves_ends_its_subscription(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(streams_per_caller=1)), backend=doors)
    async with serving(app) as address, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        url, query = f"http://{address}/graphql", {"query": "subscription { count(to: 1000, pause: 0.01) }"}
        for _ in range(3):
            async with client.stream("POST", url, json=query) as answer:
                assert answer.status_code == 200
                await anext(answer.aiter_lines())
                assert (await client.post(url, json=query)).status_code == 429
            await asyncio.sleep(0.1)


async def test_a_revoked_token_ends_a_stream(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(Limits(recheck_seconds=0.05)), backend=doors)
    async with serving(app) as address, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        query = {"query": "subscription { count(to: 1000, pause: 0.02) }"}
        async with client.stream("POST", f"http://{address}/graphql", json=query) as answer:
            doors.tokens.clear()
            text = "".join([part async for part in answer.aiter_text()])
        assert "complete" not in text


async def test_a_server_that_stops_does_not_wait_for_streams(doors: transport_server.InMemoryBackend) -> None:
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        async with serving(create_app(schema=transport_server.build_schema(), backend=doors)) as address:
            query = {"query": "subscription { count(to: 1000, pause: 0.05) }"}
            request = client.build_request("POST", f"http://{address}/graphql", json=query)
            answer = await client.send(request, stream=True)
            await anext(answer.aiter_lines())
            stopped = loop.time()
        assert loop.time() - stopped < 1
        await answer.aclose()
