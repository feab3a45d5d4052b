"""Each limit on documents and variables: what just fits is answered, one more is refused with its name and number."""

from typing import Any

import pytest
from graphql import get_introspection_query

from graph.limits import Limits
from tests.graph.transport.conftest import Ask
from tests.support import transport_server

GRAPHQL = "application/graphql-response+json"
LIMITS = Limits()


def _nested(levels: int) -> str:
    """A document with so many fields around its innermost one."""
    return "{ me {" + " friend {" * (levels - 1) + " name" + " }" * (levels - 1) + " } }"


def _chain(levels: int) -> str:
    """The same depth, spread over fragments."""
    fragments = " ".join(f"fragment F{n} on Person {{ friend {{ ...F{n + 1} }} }}" for n in range(levels - 1))
    return f"{{ me {{ ...F0 }} }} {fragments} fragment F{levels - 1} on Person {{ name }}"


def _fields(count: int) -> str:
    """A document of so many selections, alike by twenty so that they are cheap to merge."""
    return "{ me {" + " ".join("...F" for _ in range((count - 1) // 10)) + " } }" + _TEN


_TEN = " fragment F on Person { name friend { name friend { name } } ...G } fragment G on Person { name name name }"


@pytest.mark.parametrize(
    ("name", "limit", "fits", "too_much"),
    [
        pytest.param("depth", 14, _nested(14), _nested(15), id="depth"),
        pytest.param("depth", 14, _chain(14), _chain(15), id="depth in fragments"),
        pytest.param(
            "aliases",
            50,
            "{ me {" + " ".join(f"a{n}: name" for n in range(50)) + " } }",
            "{ me {" + " ".join(f"a{n}: name" for n in range(51)) + " } }",
            id="aliases",
        ),
        pytest.param(
            "aliases",
            50,
            "{ me { ...F } } fragment F on Person {" + " ".join(f"a{n}: name" for n in range(26)) + " }",
            "{ me { ...F friend { ...F } } } fragment F on Person {"
            + " ".join(f"a{n}: name" for n in range(26))
            + " }",
            id="aliases in fragments",
        ),
        pytest.param("rootFields", 20, "{" + " __typename" * 20 + "}", "{" + " __typename" * 21 + "}", id="root"),
        pytest.param(
            "rootFields",
            20,
            "{ ...F } fragment F on Query {" + " __typename" * 20 + "}",
            "{ ...F ... { ...F } } fragment F on Query {" + " __typename" * 11 + "}",
            id="root in fragments",
        ),
        pytest.param(
            "directives",
            50,
            "{ me {" + " name @skip(if: false)" * 50 + " } }",
            "{ me {" + " name @skip(if: false)" * 51 + " } }",
            id="directives",
        ),
        pytest.param(
            "directivesAtOnePlace",
            4,
            "{ me { name @skip(if: false) } }",
            "{ me { name" + " @skip(if: false)" * 5 + " } }",
            id="directives in one place",
        ),
        pytest.param(
            "listItems",
            1000,
            "{ nested(input: { numbers: [" + "1 " * 1000 + "] }) }",
            "{ nested(input: { numbers: [" + "1 " * 1001 + "] }) }",
            id="a list",
        ),
        pytest.param("comments", 100, "#\n" * 100 + "{ __typename }", "#\n" * 101 + "{ __typename }", id="comments"),
        pytest.param(
            "source", 100_000, "{ __typename }" + " " * 99_986, "{ __typename }" + " " * 99_987, id="characters"
        ),
        pytest.param(
            "operations",
            50,
            " ".join(f"query Q{n} {{ __typename }}" for n in range(50)),
            " ".join(f"query Q{n} {{ __typename }}" for n in range(51)),
            id="operations",
        ),
        pytest.param(
            "variables",
            200,
            "query (" + " ".join(f"$v{n}: Int" for n in range(200)) + ") { __typename }",
            "query (" + " ".join(f"$v{n}: Int" for n in range(201)) + ") { __typename }",
            id="variables",
        ),
    ],
)
async def test_a_document_has_limits(ask: Ask, name: str, limit: int, fits: str, too_much: str) -> None:
    chosen = {"operationName": "Q0"} if name == "operations" else {}
    assert "LIMIT_EXCEEDED" not in (await ask(fits, **chosen)).text
    answer = await ask(too_much, accept=GRAPHQL, **chosen)
    assert answer.status_code == 400
    assert _told(answer.json()) == {
        "code": "GRAPHQL_VALIDATION_FAILED",
        "reason": "LIMIT_EXCEEDED",
        "limit": limit,
        "limitName": name,
    }


async def test_selections_are_counted_after_fragments(ask: Ask) -> None:
    assert "limitName" not in (await ask(_fields(900))).text
    answer = await ask(_fields(1_100))
    assert _told(answer.json())["limitName"] == "selections"


async def test_tokens_are_limited(ask: Ask) -> None:
    answer = await ask("{" + " me" * 4_000 + "}")
    assert _told(answer.json())["limitName"] == "tokens"


@pytest.mark.parametrize("levels", [30, 199])
async def test_fragments_that_double_each_other_are_counted_not_walked(ask: Ask, levels: int) -> None:
    fragments = " ".join(f"fragment F{n} on Person {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    answer = await ask("{ me { ...F0 } }" + fragments + f" fragment F{levels} on Person {{ name }}")
    assert _told(answer.json())["limitName"] == "selections"


@pytest.mark.parametrize(
    "query",
    [
        "{ me { ...A } } fragment A on Person { ...A }",
        "{ me { ...A } } fragment A on Person { friend { ...B } } fragment B on Person { ...A }",
        "{ me { name } } fragment A on Person { ...B } fragment B on Person { ...C } fragment C on Person { ...B }",
    ],
)
async def test_fragments_in_a_circle_are_refused(ask: Ask, query: str) -> None:
    answer = await ask(query)
    assert "spreads itself" in answer.json()["errors"][0]["message"]


async def test_the_introspection_query_of_graphiql_fits(ask: Ask) -> None:
    answer = await ask(get_introspection_query())
    assert answer.json()["data"]["__schema"]["queryType"] == {"name": "Query", "kind": "OBJECT"}


async def test_components_that_ask_for_the_same_fields_fit(ask: Ask) -> None:
    fields = "name friend { name }"
    query = "{ me {" + " ".join(f"...F{n}" for n in range(30)) + " } }"
    answer = await ask(query + " ".join(f" fragment F{n} on Person {{ {fields} }}" for n in range(30)))
    assert "errors" not in answer.json()


async def test_fields_repeated_without_end_are_refused(ask: Ask) -> None:
    answer = await ask("{ me {" + " friend { name }" * 450 + " } }")
    assert _told(answer.json())["reason"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("variables", "name", "limit"),
    [
        pytest.param({"a": [0] * 1001}, "listItems", 1000, id="a list"),
        pytest.param({"a": {"b": [{"c": [0] * 1001}]}}, "listItems", 1000, id="a list inside"),
    ],
)
async def test_variables_have_limits(ask: Ask, variables: Any, name: str, limit: int) -> None:
    answer = await ask("{ __typename }", variables=variables, accept=GRAPHQL)
    assert answer.status_code == 400
    told = {"code": "BAD_USER_INPUT", "reason": "LIMIT_EXCEEDED", "limit": limit, "limitName": name}
    assert _told(answer.json()) == told


@pytest.mark.parametrize("value", ["a\0b", ["\0"], {"a": [{"b": "\0"}]}, {"\0": 1}], ids=repr)
async def test_a_text_in_the_variables_holds_no_nul(ask: Ask, value: Any) -> None:
    """No database can hold it."""
    answer = await ask("{ __typename }", variables={"v": value}, accept=GRAPHQL)
    assert _told(answer.json()) == {"code": "BAD_USER_INPUT", "reason": "INVALID"}


async def test_a_text_in_the_document_holds_no_nul(ask: Ask) -> None:
    answer = await ask('{ echo(text: ["a", "\\u0000"]) }', accept=GRAPHQL)
    assert _told(answer.json())["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "NUL" in answer.json()["errors"][0]["message"]


async def test_variables_are_not_nested_without_end(ask: Ask) -> None:
    deep: Any = 1
    for _ in range(LIMITS.value_depth - 1):
        deep = [deep]
    assert (await ask("{ __typename }", variables={"a": deep})).json() == {"data": {"__typename": "Query"}}
    answer = await ask("{ __typename }", variables={"a": {"b": deep}})
    assert _told(answer.json())["limitName"] == "valueDepth"


async def test_the_schema_keeps_its_limits_without_a_server() -> None:
    stranger = await transport_server.build_schema().execute("{ me { name } }")
    signed_in = await transport_server.build_schema().execute(
        _nested(15), context_value=transport_server.Context(None, transport_server.Viewer("a"))
    )  # type: ignore[arg-type]
    assert [error.extensions["code"] for error in stranger.errors or () if error.extensions] == ["UNAUTHENTICATED"]
    assert "15 levels" in str(signed_in.errors)


async def test_introspection_can_be_off() -> None:
    closed = transport_server.build_schema(introspection=False)
    context = transport_server.Context(None, transport_server.Viewer("a"))  # type: ignore[arg-type]
    result = await closed.execute("{ __schema { types { name } } }", context_value=context)
    assert result.errors
    assert (await closed.execute("{ me { __typename } }", context_value=context)).errors is None


def _told(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer["errors"][0]["extensions"]
    del told["requestId"]
    return told
