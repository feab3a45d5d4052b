"""The schema: the rooms joined, and no types of its own."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal

from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.tools import merge_types

from graph import change_log, customers, lookup
from graph.access import api_keys
from graph.activities import activity_mutations
from graph.assignment import assignment_rules
from graph.catalogue import agents, companies, custom_fields, departments, saved_views, segments, tags
from graph.customers import bulk, duplicates, exporting, importing, merging
from graph.engine import BreadthFirstEngine
from graph.errors import user_errors
from graph.idempotency import ReplayedFieldsExtension, idempotent
from graph.jobs import jobs
from graph.transport.schema import Schema
from graph.types.scalars import SCALARS
from graph.workspace import policies, workspaces

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
        custom_fields.Query,
        jobs.Query,
        importing.Query,
        change_log.Query,
        saved_views.Query,
        assignment_rules.Query,
        api_keys.Query,
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
        activity_mutations.Mutation,
        departments.Mutation,
        agents.Mutation,
        custom_fields.Mutation,
        saved_views.Mutation,
        assignment_rules.Mutation,
        policies.Mutation,
        api_keys.Mutation,
    ),
)


class FieldNames(NameConverter):
    """Strawberry's names, remembered: it asks for an argument's name in every operation."""

    @lru_cache(maxsize=5_000)  # noqa: B019 - there is one for each schema, and schemas are kept.
    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name)


def build_schema(
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
        extensions=[ReplayedFieldsExtension, *extensions],
        engine=BreadthFirstEngine() if engine == "breadth-first" else None,
        query=Query,
        mutation=Mutation,
        types=user_errors.ERROR_TYPES,
        directives=[idempotent],
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=FieldNames()),
        **options,
    )
    # They are read where they matter; Strawberry would look for them at every field.
    made.directives = ()
    return made
