"""The schema as tests share it: made, printed and read once in a process, because each takes a while."""

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
    """As it is published."""
    return ENGINE.as_str()


@cache
def published() -> GraphQLSchema:
    """As a client has it that read the published one."""
    return build_schema(text())


ENGINE = made("breadth-first")
