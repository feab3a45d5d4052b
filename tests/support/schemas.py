"""The schema for tests: built, printed and parsed once per process."""

from functools import cache
from typing import Literal

from graphql import GraphQLSchema, build_schema

from graph import schema
from graph.transport.schema import Schema


@cache
def made(engine: Literal["breadth-first", "reference"]) -> Schema:
    return schema.build_schema(engine=engine)


@cache
def text() -> str:
    """The schema as it is published."""
    return ENGINE.as_str()


@cache
def published() -> GraphQLSchema:
    """The schema as a client reads it."""
    return build_schema(text())


ENGINE = made("breadth-first")
