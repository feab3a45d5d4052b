"""The schema: the rooms joined, and no types of its own."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal

from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.tools import merge_types

from graph import (
    agents,
    changes,
    companies,
    customers,
    departments,
    fields,
    jobs,
    keys,
    lookup,
    policies,
    recording,
    refusals,
    rules,
    segments,
    tags,
    views,
    workspaces,
)
from graph.customers import bulk, duplicates, exporting, importing, merging
from graph.engine import Entrance
from graph.idempotency import Replays, idempotent
from graph.protocol.schema import Schema
from graph.scalars import SCALARS

Query = merge_types(
    "Query",
    (
        lookup.Query,
        workspaces.Query,
        customers.Query,
        duplicates.Query,
        companies.Query,
        tags.Query,
        segments.Query,
        agents.Query,
        departments.Query,
        fields.Query,
        jobs.Query,
        importing.Query,
        changes.Query,
        views.Query,
        rules.Query,
        keys.Query,
    ),
)

Mutation = merge_types(
    "Mutation",
    (
        workspaces.Mutation,
        customers.Mutation,
        duplicates.Mutation,
        merging.Mutation,
        bulk.Mutation,
        importing.Mutation,
        exporting.Mutation,
        jobs.Mutation,
        companies.Mutation,
        tags.Mutation,
        segments.Mutation,
        recording.Mutation,
        departments.Mutation,
        agents.Mutation,
        fields.Mutation,
        views.Mutation,
        rules.Mutation,
        policies.Mutation,
        keys.Mutation,
    ),
)


class Names(NameConverter):
    """Strawberry's names, remembered: it asks for an argument's name in every operation."""

    @lru_cache(maxsize=5_000)  # noqa: B019 - there is one for each schema, and schemas are kept.
    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name)


def build(
    *,
    engine: Literal["breadth-first", "reference"] = "breadth-first",
    extensions: Iterable[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
    **options: Any,
) -> Schema:
    """The schema with the doors' options: limits, introspection. `engine` is what executes; the reference is
    graphql-core.

    The engine comes behind all other extensions, so that they see it at work as they would see graphql-core.
    """
    made = Schema(
        extensions=[Replays, *extensions],
        entrance=Entrance() if engine == "breadth-first" else None,
        query=Query,
        mutation=Mutation,
        types=refusals.KINDS,
        directives=[idempotent],
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=Names()),
        **options,
    )
    # They are read where they matter; Strawberry would look for them at every field.
    made.directives = ()
    return made
