"""The schema: the rooms joined, and no types of its own."""

from typing import Any

from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from graph import agents, companies, customers, departments, fields, lookup, refusals, segments, tags, workspaces
from graph.protocol.schema import Schema
from graph.scalars import SCALARS

Query = merge_types(
    "Query",
    (
        lookup.Query,
        workspaces.Query,
        customers.Query,
        companies.Query,
        tags.Query,
        segments.Query,
        agents.Query,
        departments.Query,
        fields.Query,
    ),
)

Mutation = merge_types("Mutation", (workspaces.Mutation,))


def build(**options: Any) -> Schema:
    """The schema with the doors' options: limits, introspection, extensions."""
    return Schema(
        query=Query,
        mutation=Mutation,
        types=refusals.KINDS,
        config=StrawberryConfig(scalar_map=SCALARS),
        **options,
    )


schema = build()
