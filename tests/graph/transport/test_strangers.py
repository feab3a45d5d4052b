"""Without a token: signIn and __typename, and not one word about the rest of the schema."""

import pytest

from tests.graph.transport.conftest import Ask
from tests.support import transport_server

GRAPHQL = "application/graphql-response+json"
SIGN_IN = 'mutation { signIn(email: "a@b.example", password: "x") { name } }'


@pytest.mark.parametrize(
    "query",
    [
        "{ __typename }",
        "{ a: __typename b: __typename }",
        "mutation { __typename }",
        SIGN_IN,
        'mutation { a: signIn(email: "a", password: "b") { ...F } } fragment F on Person { name }',
    ],
)
async def test_a_stranger_may_sign_in(ask: Ask, query: str) -> None:
    answer = await ask(query, token=None, accept=GRAPHQL)
    assert answer.status_code == 200
    assert "errors" not in answer.json()


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("{ me { name } }", id="a field that is there"),
        pytest.param("{ nothing }", id="a field that is not"),
        pytest.param("{ mee }", id="a field with a suggestion"),
        pytest.param("{", id="no document"),
        pytest.param("{ __schema { types { name } } }", id="introspection"),
        pytest.param('{ __type(name: "Query") { name } }', id="introspection of a type"),
        pytest.param("{ __typename me { name } }", id="beside what is open"),
        pytest.param("{ ... { __typename } }", id="in an inline fragment"),
        pytest.param("{ ...F } fragment F on Query { __typename }", id="in a fragment"),
        pytest.param("{ ...F }", id="in a fragment that is not there"),
        pytest.param("query { signIn }", id="signIn as a query"),
        pytest.param("query A { __typename } query B { me { name } }", id="in another operation"),
        pytest.param("subscription { count(to: 1) }", id="a subscription"),
        pytest.param("mutation { rename(name: 1) { name } }", id="another mutation"),
        pytest.param('mutation { signIn: rename(name: "x") { name } }', id="named like signIn"),
        pytest.param("fragment F on Person { name }", id="no operation"),
        pytest.param("type A { b: Int }", id="a type"),
        pytest.param("{ __typename } # " + "x" * 5_000, id="a long document"),
        pytest.param("{" + " __typename" * 500 + "}", id="many tokens"),
        pytest.param("#\n" * 200 + "{ __typename }", id="many comments"),
    ],
)
async def test_everything_else_is_the_same_to_a_stranger(
    ask: Ask, doors: transport_server.InMemoryBackend, query: str
) -> None:
    answer = await ask(query, token=None, accept=GRAPHQL)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json() == {
        "errors": [
            {
                "message": "Sign in first: send `Authorization: Bearer` with a token.",
                "extensions": {"code": "UNAUTHENTICATED", "requestId": answer.headers["x-request-id"]},
            }
        ]
    }
    assert doors.contexts == []


async def test_as_plain_json_it_is_200(ask: Ask) -> None:
    answer = await ask("{ me { name } }", token=None)
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("token", ["ses_unknown", "x" * 600, "ses_toy extra", "é"])
async def test_a_token_that_is_none_makes_a_stranger(ask: Ask, token: str) -> None:
    answer = await ask("{ me { name } }", token=token, accept=GRAPHQL)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        'mutation { signIn(emial: "a", password: "b") { name } }',
        'mutation { signIn(email: "a", password: "b") { friend { nmae } } }',
        'mutation { signIn(email: "a", password: "b") }',
    ],
)
async def test_a_wrong_sign_in_is_told_nothing_of_the_schema(ask: Ask, query: str) -> None:
    answer = await ask(query, token=None, accept=GRAPHQL)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["message"] == "The signIn document does not fit the schema."


async def test_one_sign_in_at_a_time(ask: Ask) -> None:
    twice = 'mutation { a: signIn(email: "a", password: "b") { name } b: signIn(email: "a", password: "c") { name } }'
    for token in (None, transport_server.VALID_TOKEN):
        answer = await ask(twice, token=token)
        told = answer.json()["errors"][0]["extensions"]
        assert (told["reason"], told["limitName"], told["limit"]) == ("LIMIT_EXCEEDED", "rootFields", 1)


async def test_a_document_of_someone_signed_in_is_still_closed_to_a_stranger(ask: Ask) -> None:
    assert (await ask("{ me { name } }")).json() == {"data": {"me": {"name": "ada"}}}
    assert (await ask("{ me { name } }", token=None, accept=GRAPHQL)).status_code == 401
