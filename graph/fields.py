"""Custom fields: what a workspace wants to know beyond the built-in fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import Info
from strawberry.scalars import JSON

from db import tables
from db.queries import fields
from graph import ids
from graph.context import Context
from graph.engine.fields import column
from graph.enums import CustomFieldType, EntityType, Permission
from graph.errors import BadUserInput
from graph.nodes import Node, read_from
from graph.permissions import guarded
from graph.scalars import show_moment

Key: TypeAlias = Annotated[str, strawberry.argument(description="The field's key.")]
Keys: TypeAlias = Annotated[
    list[str] | None, strawberry.argument(description="Only these fields, in this order; at most 1 000.")
]


@strawberry.type(description="A field that the workspace added to its customers or companies.")
class CustomField(Node):
    is_type_of = read_from(tables.CustomField)

    id: strawberry.ID = column("The field's id.", convert=ids.wire("CustomField"))
    entity: EntityType = column("What it belongs to.")
    key: str = column("Its name for programs; never changes.")
    label: str = column("Its name for people.")
    description: str | None = column("What it is for.")
    type: CustomFieldType = column("The type of its values; never changes.")
    options: list[str] = column("What can be chosen, for SELECT and MULTI_SELECT; else empty.")
    required: bool = column("True when a record must have a value from now on.")
    unique: bool = column("True when no two records may share a value.")
    active: bool = column("False while it is switched off: hidden, its values kept.")
    position: int = column("Its place among the others.")


@strawberry.type(description="A custom field of one record, and its value there.")
class CustomFieldValue:
    field: CustomField = column("The field.")
    value: JSON | None = column("The value: a string, number, boolean or list of strings; null when there is none.")
    text: str | None = column("The value as people read it; null when there is none.")


@dataclass(frozen=True, slots=True)
class _Valued:
    field: Any
    value: Any

    @property
    def text(self) -> str | None:
        if self.value is None:
            return None
        if isinstance(self.value, list):
            return ", ".join(self.value)
        return self.value if isinstance(self.value, str) else str(self.value).lower()


async def valued(
    context: Context, parents: Sequence[Any], entity: EntityType, keys: Sequence[str] | None
) -> list[list[Any]]:
    """For each record its active fields, or those with the keys, each with its value.

    Raises BadUserInput, reason FIELD_UNKNOWN, for a key that is no active field's.
    """
    known = (await context.load(fields.by_entities, [entity]))[entity]
    active = {field.key: field for field in known if field.active}
    if keys is not None and (unknown := [key for key in keys if key not in active]):
        raise BadUserInput(f"There is no custom field “{unknown[0]}” here.", reason="FIELD_UNKNOWN")
    chosen = list(active.values()) if keys is None else [active[key] for key in keys]
    rows = await context.many(fields.values, parents, "id", entity)
    return [_of(chosen, _by_field(found)) for found in rows]


def _by_field(rows: Sequence[Any]) -> Mapping[bytes, list[Any]]:
    found: dict[bytes, list[Any]] = {}
    for row in rows:
        found.setdefault(row.field_id, []).append(row)
    return found


def _of(chosen: Sequence[Any], rows: Mapping[bytes, list[Any]]) -> list[Any]:
    return [_Valued(field, _value(CustomFieldType(field.type), rows.get(field.id))) for field in chosen]


def _value(kind: CustomFieldType, rows: Sequence[Any] | None) -> Any:
    if not rows:
        return None
    if kind is CustomFieldType.MULTI_SELECT:
        return [row.option for row in rows]
    value = getattr(rows[0], _COLUMNS.get(kind, "text"))
    if kind is CustomFieldType.DATE_TIME:
        return show_moment(value)
    return int(value) if kind is CustomFieldType.NUMBER and value == int(value) else value


_COLUMNS = {
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "date_time",
    CustomFieldType.SELECT: "option",
}


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "The custom fields of customers or companies, in order.")
    async def custom_fields(
        self,
        info: Info,
        entity: Annotated[EntityType, strawberry.argument(description="Whose fields.")],
    ) -> list[CustomField]:
        return (await info.context.load(fields.by_entities, [entity]))[entity]
