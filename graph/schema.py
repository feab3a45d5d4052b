"""The schema: joins the queries and mutations of all modules. It defines no types of its own."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal

from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.tools import merge_types
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from graph import change_log, customers, lookup
from graph.access import api_keys
from graph.activities import activity_mutations
from graph.assignment import assignment_rules
from graph.catalogue import agents, companies, custom_fields, departments, saved_views, segments, tags
from graph.customers import bulk, duplicates, exporting, importing, merging
from graph.engine import BreadthFirstEngine
from graph.errors import user_errors
from graph.examples import read_examples
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


def _describe_root(root: type, description: str) -> None:
    """Describes a root type and appends the example operation to the description of each of its fields."""
    definition = get_object_definition(root, strict=True)
    definition.description = description
    examples = read_examples()
    for field in definition.fields:
        example = examples[to_camel_case(field.python_name)]
        field.description = f"{field.description}\n\nExample:\n```graphql\n{example}\n```"


_describe_root(
    Query,
    "Queries. Every field except `viewer` requires a signed-in agent or an API key. Lists return connections with "
    "cursors. Records that the viewer cannot see look like records that do not exist.",
)
_describe_root(
    Mutation,
    "Mutations. Expected errors are data: `errors` of the payload. Each mutation is one transaction and one entry per "
    "record in the change log. Bulk mutations process up to 200 rows in the answer and more as a Job. `@idempotent` "
    "makes any mutation safe to repeat.",
)


class FieldNames(NameConverter):
    """Caches converted names: Strawberry converts an argument's name in every operation."""

    @lru_cache(maxsize=5_000)  # noqa: B019 - there is one for each schema, and schemas are kept.
    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name)


def build_schema(
    *,
    engine: Literal["breadth-first", "reference"] = "breadth-first",
    extensions: Iterable[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
    **options: Any,
) -> Schema:
    """Builds the schema. `engine` selects the executor; "reference" is graphql-core. `options` go to the transport's
    schema: limits, introspection.

    The engine is the last extension, so the other extensions observe it as they would observe graphql-core.
    """
    schema = Schema(
        extensions=[ReplayedFieldsExtension, *extensions],
        engine=BreadthFirstEngine() if engine == "breadth-first" else None,
        query=Query,
        mutation=Mutation,
        types=user_errors.ERROR_TYPES,
        directives=[idempotent],
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=FieldNames()),
        **options,
    )
    # The engine applies the directives; Strawberry would search for them at every field.
    schema.directives = ()
    return schema
