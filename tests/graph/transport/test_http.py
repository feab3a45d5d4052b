"""GraphQL over HTTP beyond the audits: methods, media types, parameters, bodies that are none."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from starlette.responses import HTMLResponse

from graph.limits import Limits
from graph.server import create_app
from tests.graph.transport.conftest import Ask, client_of
from tests.support import transport_server

GRAPHQL = "application/graphql-response+json"
SIGNED_IN = {"authorization": f"Bearer {transport_server.VALID_TOKEN}"}
JSON_BODY = SIGNED_IN | {"content-type": "application/json"}


async def test_an_operation_is_answered(ask: Ask) -> None:
    answer = await ask("query Q($n: Int!) { double(number: $n) }", variables={"n": 21}, operationName="Q")
    assert answer.json() == {"data": {"double": 42}}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/*", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json", "application/json"),
        (f"multipart/mixed, {GRAPHQL}, application/json", GRAPHQL),
        ("text/html, */*;q=0.1", "application/json"),
        ("APPLICATION/JSON", "application/json"),
    ],
)
async def test_the_answer_is_in_the_type_the_client_likes_best(ask: Ask, accept: str, answered: str) -> None:
    answer = await ask("{ __typename }", accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/plain", "application/json;q=0", "application/json;q=x", "x" * 2000])
async def test_a_client_that_reads_none_of_our_types_is_told_them(ask: Ask, accept: str) -> None:
    answer = await ask("{ __typename }", accept=accept)
    assert answer.status_code == 406
    assert code(answer) == "BAD_USER_INPUT"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, "/graphql", headers=SIGNED_IN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON; charset="UTF-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/graphql", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonx", 415),
        ("", 415),
    ],
)
async def test_a_body_is_json_in_utf_8(http: httpx.AsyncClient, content_type: str, status: int) -> None:
    headers = SIGNED_IN | {"content-type": content_type}
    answer = await http.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"1", id="a number"),
        pytest.param(b'"x"', id="a text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"true", id="true"),
        pytest.param(b"[]", id="no batch"),
        pytest.param(b'[{"query": "{ __typename }"}]', id="a batch"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"query": "{ __typename }"}', id="a byte order mark"),
        pytest.param(b'{"query": "\xc3\x28"}', id="broken UTF-8 inside"),
        pytest.param(b'{"query": "\\ud800"}', id="a lone surrogate"),
        pytest.param(b"1" * 5000, id="a number of 5000 digits"),
        pytest.param(b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5000 + b"}}", id="one inside"),
        pytest.param(b'{"query": "{ __typename }", "variables": {"a": NaN}}', id="NaN"),
        pytest.param(b"[" * 100_000, id="deep and open"),
        pytest.param(b"[" * 5_000 + b"]" * 5_000, id="deep"),
        pytest.param(b'{"query":' * 2_000 + b"1" + b"}" * 2_000, id="deep objects"),
        pytest.param(b"{}", id="no query"),
        pytest.param(b'{"query": ""}', id="an empty query"),
        pytest.param(b'{"query": null}', id="a null query"),
        pytest.param(b'{"query": ["{ __typename }"]}', id="a list as query"),
        pytest.param(b'{"query": "{ __typename }", "variables": []}', id="variables as list"),
        pytest.param(b'{"query": "{ __typename }", "variables": "{}"}', id="variables as text"),
        pytest.param(b'{"query": "{ __typename }", "operationName": 1}', id="operationName as number"),
        pytest.param(b'{"query": "{ __typename }", "extensions": 1}', id="extensions as number"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_a_body_that_is_no_request_is_400(http: httpx.AsyncClient, body: bytes, accept: str) -> None:
    answer = await http.post("/graphql", content=body, headers=JSON_BODY | {"accept": accept})
    assert answer.status_code == 400
    assert code(answer) == "BAD_USER_INPUT"
    assert answer.headers["content-type"].startswith(accept)


async def test_a_number_past_64_bits_is_a_bad_variable(ask: Ask) -> None:
    answer = await ask("query ($n: Int!) { double(number: $n) }", variables={"n": 2**70}, accept=GRAPHQL)
    assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")


async def test_get_runs_a_query(http: httpx.AsyncClient) -> None:
    parameters = {"query": "query ($n: Int!) { double(number: $n) }", "variables": '{"n": 4}', "extensions": ""}
    answer = await http.get("/graphql", params=parameters, headers=SIGNED_IN)
    assert answer.json() == {"data": {"double": 8}}


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "variables={}",
        "query=%ff%fe",
        "query={__typename}&query={__typename}",
        "query={__typename}&variables=[",
        "query={__typename}&variables=[]",
        "query={__typename}&" + "&".join(f"a{n}=1" for n in range(30)),
    ],
)
async def test_get_parameters_that_are_no_request_are_400(http: httpx.AsyncClient, query_string: str) -> None:
    answer = await http.get(f"/graphql?{quote(query_string, safe='=&%')}", headers=SIGNED_IN)
    assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_get_runs_no_mutation(
    http: httpx.AsyncClient, doors: transport_server.InMemoryBackend, accept: str
) -> None:
    parameters = {"query": 'mutation { rename(name: "x") { name } }'}
    answer = await http.get("/graphql", params=parameters, headers=SIGNED_IN | {"accept": accept})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert doors.contexts == []


@pytest.mark.parametrize(
    ("query", "name", "reason"),
    [
        ("query A { me { name } } query B { __typename }", None, "OPERATION_AMBIGUOUS"),
        ("{ __typename } { __typename }", None, "OPERATION_AMBIGUOUS"),
        ("query A { me { name } }", "B", "OPERATION_UNKNOWN"),
        ("fragment F on Person { name }", None, "OPERATION_UNKNOWN"),
        ("subscription { count(to: 1) }", None, "OPERATION_NOT_ALLOWED_HERE"),
    ],
)
async def test_an_operation_that_cannot_be_chosen_is_refused(
    ask: Ask, query: str, name: str | None, reason: str
) -> None:
    answer = await ask(query, operationName=name, accept=GRAPHQL)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["reason"] == reason


async def test_one_of_several_operations_runs_by_its_name(ask: Ask) -> None:
    answer = await ask("query A { me { name } } query B { double(number: 1) }", operationName="B")
    assert answer.json() == {"data": {"double": 2}}


@pytest.mark.parametrize(
    ("query", "code_of_it"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { double(number: $n) }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_error_is_400_or_200_by_media_type(ask: Ask, query: str, code_of_it: str) -> None:
    answers = {accept: await ask(query, accept=accept) for accept in ("application/json", GRAPHQL)}
    assert [answer.status_code for answer in answers.values()] == [200, 400]
    for answer in answers.values():
        assert code(answer) == code_of_it
        assert "data" not in answer.json()


async def test_an_error_in_a_field_leaves_the_answer_200(ask: Ask) -> None:
    answer = await ask("{ forbidden me { name } }", accept=GRAPHQL)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"forbidden": None, "me": {"name": "ada"}}
    assert code(answer) == "FORBIDDEN"
    assert answer.json()["errors"][0]["path"] == ["forbidden"]


async def test_a_browser_gets_the_page(doors: transport_server.InMemoryBackend) -> None:
    app = create_app(
        schema=transport_server.build_schema(),
        backend=doors,
        graphiql_page=lambda _: HTMLResponse("<title>page</title>"),
    )
    async with client_of(app) as client:
        accept = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        assert (await client.get("/graphql", headers=accept)).text == "<title>page</title>"
        assert (await client.get("/graphql?query={__typename}")).json() == {"data": {"__typename": "Query"}}
        assert (await client.get("/graphql", headers={"accept": "*/*"})).status_code == 400


async def test_without_a_page_a_browser_is_a_client(http: httpx.AsyncClient) -> None:
    accept = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = await http.get("/graphql?query={__typename}", headers=accept)
    assert answer.json() == {"data": {"__typename": "Query"}}


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(doors: transport_server.InMemoryBackend) -> None:
    async with client_of(
        create_app(schema=transport_server.build_schema(Limits(body_bytes=100)), backend=doors)
    ) as client:
        answer = await client.post("/graphql", content=b"x" * 101, headers=JSON_BODY)
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"
        assert answer.json()["errors"][0]["extensions"] == {
            "code": "BAD_USER_INPUT",
            "reason": "LIMIT_EXCEEDED",
            "limit": 100,
            "limitName": "body",
            "requestId": answer.headers["x-request-id"],
        }


async def test_a_body_that_grows_too_large_is_refused(doors: transport_server.InMemoryBackend) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 30

    async with client_of(
        create_app(schema=transport_server.build_schema(Limits(body_bytes=100)), backend=doors)
    ) as client:
        assert (await client.post("/graphql", content=body(), headers=JSON_BODY)).status_code == 413


async def test_a_result_set_by_an_extension_is_the_answer(ask: Ask) -> None:
    assert (await ask("{ me { name } } # instead")).json() == {"data": {"me": {"name": "engine"}}}


async def test_every_operation_has_a_context_of_its_own(ask: Ask, doors: transport_server.InMemoryBackend) -> None:
    await ask("{ me { name } }")
    await ask("{ me { name } }")
    first, second = doors.contexts
    assert first is not second
    assert (first.caller.viewer, first.caller.token) == (transport_server.Viewer("ada"), transport_server.VALID_TOKEN)
    assert first.caller.address == "127.0.0.1"
    assert transport_server.VALID_TOKEN not in repr(first.caller)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def test_a_compressed_body_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", content=b"\x1f\x8b", headers=JSON_BODY | {"content-encoding": "gzip"})
    assert answer.status_code == 415
