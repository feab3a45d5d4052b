"""The two ways in: past Strawberry's stages, and through them where an extension stands there."""

from collections.abc import Iterator
from typing import Any

from strawberry.extensions import SchemaExtension

from graph import schema
from graph.transport.request_parsing import GraphQLRequest
from tests.support.transport_server import Context, Viewer


class Standing(SchemaExtension):
    seen = 0

    def on_execute(self) -> Iterator[None]:
        Standing.seen += 1
        yield


class Telling(SchemaExtension):
    def get_results(self) -> dict[str, Any]:
        return {"told": True}


async def answered(made: Any, text: str) -> Any:
    context: Any = Context(None, Viewer("ada"))  # type: ignore[arg-type]
    document = made.documents.get_or_parse(text, signed_in=True)
    return await made.execute_document(GraphQLRequest(text, None, None, None), document, context)


async def test_an_extension_in_the_stages_sees_the_operation() -> None:
    answer = await answered(schema.build_schema(extensions=[Standing]), "{ __typename }")
    assert answer.data == {"__typename": "Query"}
    assert Standing.seen == 1


async def test_one_that_only_tells_is_asked_on_the_short_way() -> None:
    made = schema.build_schema(extensions=[Telling])
    answer = await answered(made, "{ __typename }")
    assert (answer.data, answer.extensions) == ({"__typename": "Query"}, {"told": True})


async def test_what_the_engine_leaves_is_answered_all_the_same() -> None:
    answer = await answered(schema.build_schema(), '{ __type(name: "Tag") { name } }')
    assert answer.data == {"__type": {"name": "Tag"}}


async def test_a_document_that_does_not_fit_is_not_executed() -> None:
    answer = await answered(schema.build_schema(), "{ nothing }")
    assert answer.data is None
    assert [error.extensions["code"] for error in answer.errors] == ["GRAPHQL_VALIDATION_FAILED"]
