"""Node and Record: what everything with an id has in common."""

from typing import Annotated, Any, TypeAlias

import strawberry

from graph.engine.field_declarations import column
from graph.types.scalars import DateTime

# The id that a field is asked with.
Id: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The id.")]


@strawberry.interface(description="A record with an id.")
class Node:
    id: strawberry.ID = column("Id: opaque, unique, and ordered by creation within a type.")


@strawberry.interface(description="A record with a version that each change increments.")
class Record(Node):
    version: int = column(
        "Version of the record; each change increments it. Pass it as `ifVersion` to detect concurrent changes."
    )
    created_at: DateTime = column("Time of creation.")
    updated_at: DateTime = column("Time of the last change.")


def is_row_of(table: type[Any]) -> Any:
    """Tells graphql-core that rows of `table` are objects of the type it is set on, as `is_type_of`."""

    def is_type_of(cls: type, value: Any, info: Any) -> bool:
        return getattr(value, "table", None) is table

    # A row's class says which table it is of, so the engine asks once for all rows of a class.
    is_type_of.by_class = True  # type: ignore[attr-defined] # functions take any attribute
    return classmethod(is_type_of)
