"""What callers see of errors, and what the log sees."""

import logging

import httpx
import pytest

from tests.graph.transport.conftest import Ask
from tests.support import transport_server

GRAPHQL = "application/graphql-response+json"


async def test_a_bug_is_masked_and_logged_once_with_its_request(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    answer = await ask("{ bug again: bug me { name } }")
    assert answer.json()["data"] == {"bug": None, "again": None, "me": {"name": "ada"}}
    first, second = answer.json()["errors"]
    assert first["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["x-request-id"]}
    assert (first["path"], second["path"]) == (["bug"], ["again"])
    assert "hunter2" not in answer.text
    (record,) = caplog.records
    assert answer.headers["x-request-id"] in record.getMessage()
    assert record.exc_info
    assert isinstance(record.exc_info[1], KeyError)


@pytest.mark.parametrize("query", ["{ tooBig }", "{ surrogate }"])
async def test_a_value_that_cannot_be_written_is_a_bug(ask: Ask, caplog: pytest.LogCaptureFixture, query: str) -> None:
    answer = await ask(query)
    assert answer.status_code == (200 if "data" in answer.json() else 500)
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "query",
    ["{", "{ nothing }", "query ($n: Int!) { double(number: $n) }", "{ forbidden }", "{ database }", "{ me { name } }"],
)
async def test_a_clients_mistake_is_not_logged_as_an_error(
    ask: Ask, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    caplog.set_level(logging.INFO)
    await ask(query)
    assert [record.levelname for record in caplog.records if record.name.startswith("clientela")] == ["INFO"]
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_an_exception_from_below_is_explained(ask: Ask) -> None:
    answer = await ask("{ database }")
    (error,) = answer.json()["errors"]
    assert error["extensions"] | {"requestId": ""} == {"code": "UNAVAILABLE", "retryAfter": 2, "requestId": ""}
    assert error["path"] == ["database"]


async def test_without_a_database_nobody_is_signed_in_or_out(ask: Ask, doors: transport_server.InMemoryBackend) -> None:
    doors.is_database_down = True
    answer = await ask("{ me { name } }")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_every_error_has_a_code_and_the_request_id(ask: Ask) -> None:
    answer = await ask("{ nothing nowhere me { nobody } }")
    assert [error["extensions"] for error in answer.json()["errors"]] == [
        {"code": "GRAPHQL_VALIDATION_FAILED", "requestId": answer.headers["x-request-id"]}
    ] * 3
    again = await ask("{ nothing nowhere me { nobody } }")
    assert again.json()["errors"][0]["extensions"]["requestId"] == again.headers["x-request-id"]


async def test_a_message_that_quotes_much_is_cut(ask: Ask) -> None:
    answer = await ask('{ double(number: "' + "x" * 50_000 + '") }')
    assert len(answer.content) < 2_000


@pytest.mark.parametrize("given", ["abc-123", "a" * 100, "0af7651916cd43dd8448eb211c80319c:00"])
async def test_a_sane_request_id_is_taken_over(http: httpx.AsyncClient, given: str) -> None:
    assert await _request_ids(http, given) == (given, given)


@pytest.mark.parametrize("given", ["", "a b", "a" * 101, "é", "a\tb", '"', "{}"])
async def test_any_other_is_replaced(http: httpx.AsyncClient, given: str) -> None:
    header, seen = await _request_ids(http, given)
    assert header == seen != given
    assert len(header) == 24


async def _request_ids(http: httpx.AsyncClient, given: str) -> tuple[str, str]:
    headers = {b"authorization": f"Bearer {transport_server.VALID_TOKEN}".encode(), b"x-request-id": given.encode()}
    answer = await http.post("/graphql", json={"query": "{ requestId }"}, headers=headers)
    return answer.headers["x-request-id"], answer.json()["data"]["requestId"]


async def test_an_operation_leaves_one_line(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "clientela")
    answer = await ask("query Mine { me { name } }", operationName="Mine")
    (record,) = caplog.records
    assert record.getMessage().startswith("query Mine: OK in ")
    assert vars(record)["request_id"] == answer.headers["x-request-id"]


async def test_a_name_that_is_none_does_not_reach_the_log(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "clientela")
    await ask("{ me { name } }", operationName="x\nERROR forged")
    assert "forged" not in caplog.text
