"""Node and Record: the interfaces of records with an id."""

from typing import Annotated, Any, TypeAlias

import strawberry

from graph.engine.field_declarations import column
from graph.types.scalars import DateTime

# The argument `id`.
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
    """Returns an `is_type_of` function for rows of `table`."""

    def is_type_of(cls: type, value: Any, info: Any) -> bool:
        return getattr(value, "table", None) is table

    # The class of a row determines its table, so the engine tests each class once.
    is_type_of.by_class = True  # type: ignore[attr-defined] # functions take any attribute
    return classmethod(is_type_of)
