"""The other addresses, the start and the end, and what stands around every request."""

import logging

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graph.server import create_app
from tests.graph.transport.conftest import Ask, client_of, serving
from tests.support import transport_server


async def test_it_is_live_and_ready(http: httpx.AsyncClient, doors: transport_server.InMemoryBackend) -> None:
    assert (await http.get("/health/live")).status_code == 200
    assert (await http.get("/health/ready")).json() == {"ready": True, "reason": None}
    doors.problem = "The database is two versions behind."
    answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database is two versions behind.")
    assert (await http.get("/health/live")).status_code == 200


async def test_the_doors_start_and_stop_with_the_server(doors: transport_server.InMemoryBackend) -> None:
    async with serving(create_app(schema=transport_server.build_schema(), backend=doors)):
        assert doors.running_count == 1
    assert doors.running_count == 0


async def test_metrics_count_operations(http: httpx.AsyncClient, ask: Ask) -> None:
    await ask("{ me { name } }")
    await ask('mutation { rename(name: "x") { name } }')
    await ask("{ forbidden }")
    await ask("{ me { name } }", token=None)
    page = (await http.get("/metrics")).text
    assert 'clientela_operations_total{kind="query",outcome="OK"} 1.0' in page
    assert 'clientela_operations_total{kind="mutation",outcome="OK"} 1.0' in page
    assert 'clientela_operations_total{kind="query",outcome="FORBIDDEN"} 1.0' in page
    assert 'clientela_operations_total{kind="unknown",outcome="UNAUTHENTICATED"} 1.0' in page
    assert 'clientela_operation_seconds_count{kind="query"} 2.0' in page
    assert "clientela_operations_running 0.0" in page


@pytest.mark.parametrize("path", ["/graphql", "/health/live", "/metrics", "/nowhere"])
async def test_every_answer_has_the_security_headers(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert len(headers["x-request-id"]) == 24


async def test_a_page_may_have_a_policy_of_its_own(doors: transport_server.InMemoryBackend) -> None:
    def page(_: Request) -> Response:
        return PlainTextResponse("page", headers={"Content-Security-Policy": "default-src 'self'"})

    async with client_of(
        create_app(schema=transport_server.build_schema(), backend=doors, routes=[Route("/page", page)])
    ) as client:
        answer = await client.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


async def test_a_bug_in_another_address_is_answered_and_logged(
    doors: transport_server.InMemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Request) -> Response:
        raise KeyError("hunter2")

    async with client_of(
        create_app(schema=transport_server.build_schema(), backend=doors, routes=[Route("/broken", broken)])
    ) as client:
        answer = await client.get("/broken", headers={"x-request-id": "abc"})
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": "abc"}
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "abc" in record.getMessage()


async def test_pages_of_allowed_origins_may_ask(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(schema=transport_server.build_schema(), backend=doors, allowed_origins=["https://app.example"])
    asking = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    async with client_of(app) as client:
        allowed = await client.options("/graphql", headers=asking | {"origin": "https://app.example"})
        other = await client.options("/graphql", headers=asking | {"origin": "https://evil.example"})
        answer = await client.get("/graphql?query={__typename}", headers={"origin": "https://app.example"})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-credentials" not in allowed.headers
    assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()


async def test_without_allowed_origins_no_page_may_ask(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql?query={__typename}", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers
