"""What the engine answers is what graphql-core answers, over all that Strawberry offers."""

from typing import Any

import orjson
import pytest

from tests.support import engine_schema

QUERIES = {
    "scalars, enums and conversions": "{ people { id name size twice odd __typename } }",
    "aliases in their order": "{ b: people { z: name a: name id } a: people(first: 1) { id } }",
    "relations of relations": "{ people { friend { name friend { id friend { size } } } } }",
    "nothing found": "{ person(id: 99) { name friend { name } } people(first: 0) { friend { name } } }",
    "lists of lists": "{ people(skip: [4]) { groups(size: 2) { name friend { id } } } }",
    "an interface": "{ things { __typename name ... on Person { id friend { name } } ... on Place { tags facts } } }",
    "a union": "{ either { __typename ... on Thing { name } ... on Place { facts } ... on Person { twice } } }",
    "fragments that meet": """
        { people { ...A friend { name } ...B } }
        fragment A on Person { friend { id } name ...B }
        fragment B on Thing { name ... on Person { friend { size } } }
    """,
    "conditions": "query ($yes: Boolean!, $no: Boolean! = false) { people { id @skip(if: $yes) name @include(if: $no) "
    "... @include(if: $yes) { size } twice @skip(if: false) } }",
    "arguments and variables": "query ($to: Int = 3, $within: [Int!]) { people { "
    "a: near(place: {to: $to, within: $within}) b: near(place: {to: 1}) } }",
    "resolvers of their own": "{ people { where slow(times: 2) loud friend { where groups { where } } } }",
    "keys of a dict": "{ unordered }",
    "what info tells": "query ($a: Int = 1) { options people(first: $a) { id } }",
    "values that are converted": "{ wrong(number: 1.0) { number ratio yes label size } }",
    "a mutation": "mutation { a: make(id: 1) { number person { name where friend { name } } } "
    "b: maybe(id: 2) { number } }",
}
FAILURES = {
    "one of a list": "{ people { name fragile } }",
    "one of a list that may be null": "{ either { ... on Person { fragile friend { name } } } things { name } }",
    "a value that does not fit": "{ wrong(number: 1.5) { number } other: wrong(number: 1e20) { number } }",
    "an enum that does not fit": '{ wrong(text: "size") { size number } }',
    "a type that does not know its own": "{ person(id: 4) { name } }",
    "permissions": "{ forbidden people { id secret } }",
    "a root that fails": "{ breaks people { id } }",
    "a root that may not be null": "{ breaksAll people { id } }",
    "a generator": "{ generated }",
    "awaitable values": "{ awaited }",
    "a variable that does not fit": "query ($a: Int!) { people(first: $a) { id } }",
    "a mutation that fails": "mutation { a: maybe(id: 1) { number } b: maybe(id: 2, fails: true) { number } "
    "c: maybe(id: 3) { number person { name } } }",
    "a mutation that fails for good": "mutation { a: make(id: 1) { number } b: make(id: 2, fails: true) { number } "
    "c: make(id: 3) { number } }",
    "below a mutation": "mutation { a: make(id: 3) { number person { fragile } } b: maybe(id: 4) { person { name } } }",
    "introspection": "{ __schema { queryType { name } } people { id } }",
    "__type": '{ __type(name: "Person") { name } }',
}


# Not planned, and still answered without an error.
LEFT = ("introspection", "__type", "a generator", "awaitable values")


def _shown(answer: Any) -> list[Any]:
    errors = [
        (one.message, one.path, [(at.line, at.column) for at in one.locations or ()]) for one in answer.errors or ()
    ]
    return [orjson.dumps(answer.data), sorted(errors, key=repr), answer.extensions]


@pytest.mark.parametrize("what", [*QUERIES, *FAILURES])
async def test_answers_are_alike(what: str) -> None:
    document = QUERIES.get(what) or FAILURES[what]
    variables = {"yes": True} if "$yes" in document else None
    (fast, _), (slow, _) = await engine_schema.execute_with_both(document, variable_values=variables)
    assert _shown(fast) == _shown(slow)
    assert (fast.errors is None) == (
        what in QUERIES or what in ("introspection", "__type", "a generator", "awaitable values")
    )


@pytest.mark.parametrize("what", QUERIES)
async def test_what_can_be_planned_is_left_to_nobody(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: Any, **__: Any) -> None:
        raise AssertionError("graphql-core was asked")

    monkeypatch.setattr("strawberry.schema.schema.execute", unwanted)
    monkeypatch.setattr("graph.engine.reference_executor.execute", unwanted)
    variables = {"yes": True} if "$yes" in QUERIES[what] else None
    answer = await engine_schema.ENGINE.execute(
        QUERIES[what], variable_values=variables, context_value=engine_schema.Context()
    )
    assert answer.errors is None


async def test_a_batch_is_asked_once_a_level_for_the_objects_in_it() -> None:
    """The friends of four people are three."""
    (_, context), _ = await engine_schema.execute_with_both("{ people { friend { friend { id } } } }")
    assert [told for told in context.told if told[0] == "friend"] == [("friend", 4, "friend"), ("friend", 3, "friend")]


@pytest.mark.parametrize("what", [name for name in FAILURES if "mutation" in name])
async def test_a_mutation_runs_once_and_in_its_order(what: str) -> None:
    (_, fast), (_, slow) = await engine_schema.execute_with_both(FAILURES[what])
    assert fast.told == slow.told
    assert len(fast.told) > 2


async def test_a_query_that_failed_at_its_root_does_not_fail_there_again() -> None:
    (answer, context), _ = await engine_schema.execute_with_both("{ breaks people { id } }")
    assert [error.message for error in answer.errors or ()] == ["broken"]
    assert context.told.count("breaks") == 1


async def test_a_resolver_that_another_library_wrapped_is_called_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_schema.build_schema(engine_schema.BreadthFirstEngine())
    query: Any = engine._schema.query_type
    monkeypatch.setattr(query.fields["breaks"], "resolve", lambda source, info: 7)
    answer = await engine.execute("{ breaks }", context_value=engine_schema.Context())
    assert answer.data == {"breaks": 7}


async def test_extensions_and_resolvers_see_the_same() -> None:
    document = "query ($n: Int!) { people(first: $n, skip: [1]) { name ...F } options } fragment F on Person { id }"
    more = {"variable_values": {"n": 3}, "operation_extensions": {"a": 1}, "root_value": "root"}
    (fast, one), (slow, other) = await engine_schema.execute_with_both(document, **more)
    assert fast.data == slow.data
    assert one.told == other.told
    assert fast.extensions == {"seen": True}


async def test_an_extension_that_watches_fields_is_served_by_the_reference() -> None:
    class Watching(engine_schema.Counted):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            info.context.told.append(info.field_name)
            return _next(root, info, *args, **kwargs)

    context = engine_schema.Context()
    await engine_schema.build_schema(Watching, engine_schema.BreadthFirstEngine()).execute(
        "{ people(first: 1) { name } }", context_value=context
    )
    assert "name" in context.told


def test_it_can_be_executed_outside_a_loop() -> None:
    answer = engine_schema.ENGINE.execute_sync("{ person(id: 1) { name } }", context_value=engine_schema.Context())
    assert answer.data == {"person": {"name": "row 1"}}


async def test_subscriptions_are_the_references() -> None:
    stream: Any = await engine_schema.ENGINE.subscribe(
        "subscription { count(to: 2) }", context_value=engine_schema.Context()
    )
    assert [answer.data async for answer in stream] == [{"count": 0}, {"count": 1}]
