"""Custom fields and their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import Info, Maybe
from strawberry.scalars import JSON

from crm.catalogue import custom_fields as rules
from crm.catalogue import fields as catalogue
from crm.values import custom_values
from db import tables
from db.queries.catalogue import custom_fields as fields
from graph.access.permissions import guarded
from graph.context import Context
from graph.engine.field_declarations import column
from graph.errors.top_level import BadUserInput
from graph.errors.user_errors import UserError, mutation
from graph.types import ids
from graph.types.enums import CustomFieldType, EntityType, Permission
from graph.types.inputs import input_data
from graph.types.nodes import Node, is_row_of

FieldKeyArgument: TypeAlias = Annotated[str, strawberry.argument(description="Key of the custom field.")]
FieldKeysArgument: TypeAlias = Annotated[
    list[str] | None, strawberry.argument(description="Only these fields, in this order; at most 1 000 keys.")
]


@strawberry.type(description="A field that the workspace has added to its customers or companies.")
class CustomField(Node):
    is_type_of = is_row_of(tables.CustomField)

    id: strawberry.ID = column("Id of the custom field.", convert=ids.id_encoder("CustomField"))
    entity: EntityType = column("Entity that the field belongs to.")
    key: str = column("Key for programs; it never changes.")
    label: str = column("Label for people.")
    description: str | None = column("Purpose, as text for people.")
    type: CustomFieldType = column("Type of the values; it never changes.")
    options: list[str] = column("Options of a SELECT or MULTI_SELECT field; empty for other types.")
    required: bool = column("True if every saved record must have a value.")
    unique: bool = column("True if no two records may share a value.")
    active: bool = column("False while the field is disabled: hidden, with its values kept.")
    position: int = column("Position among the others.")


@strawberry.type(description="A custom field of one record with its value.")
class CustomFieldValue:
    field: CustomField = column("The field.")
    value: JSON | None = column("Value: a string, number, boolean or list of strings; null if there is none.")
    text: str | None = column("Value as text for people; null if there is none.")


@strawberry.input(description="Value for a custom field.")
class CustomFieldValueInput:
    key: str = strawberry.field(description="Key of the custom field.")
    value: strawberry.Maybe[JSON | None] = strawberry.field(
        description="Value of the field's type: a string, number, boolean or list of options; null clears it."
    )


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


async def custom_values_of(
    context: Context, parents: Sequence[Any], entity: EntityType, keys: Sequence[str] | None
) -> list[list[Any]]:
    """The active fields of each record with their values, or the fields with these keys.

    Raises BadUserInput with the reason FIELD_UNKNOWN for a key without an active field.
    """
    known = (await context.load(fields.by_entities, [entity]))[entity]
    active = {field.key: field for field in known if field.active}
    if keys is not None and (unknown := [key for key in keys if key not in active]):
        raise BadUserInput(f"There is no custom field “{unknown[0]}” here.", reason="FIELD_UNKNOWN")
    chosen = list(active.values()) if keys is None else [active[key] for key in keys]
    rows = await context.load_many(fields.values, parents, "id", entity)
    return [_of(chosen, _by_field(found)) for found in rows]


def _by_field(rows: Sequence[Any]) -> Mapping[bytes, list[Any]]:
    found: dict[bytes, list[Any]] = {}
    for row in rows:
        found.setdefault(row.field_id, []).append(row)
    return found


def _of(chosen: Sequence[Any], rows: Mapping[bytes, list[Any]]) -> list[Any]:
    return [
        _Valued(field, custom_values.value_for_log(field, custom_values.value_from_rows(field, rows.get(field.id, ()))))
        for field in chosen
    ]


@strawberry.type(description="A field that can be used as a column, filter, sort key, import or export field.")
class FieldInfo:
    key: str = strawberry.field(
        description="Key for programs, such as name, address.city, externalId.erp or custom.tier."
    )
    label: str = strawberry.field(description="Label for people.")
    type: str = strawberry.field(description="Name of the type in the schema; for a custom field its CustomFieldType.")
    custom: CustomField | None = strawberry.field(description="The custom field; null for a built-in field.")
    filterable: bool = strawberry.field(description="True if filters accept the field.")
    sortable: bool = strawberry.field(description="True if sorts accept the field.")
    exportable: bool = strawberry.field(description="True if exports accept the field as a column.")
    importable: bool = strawberry.field(description="True if an import column can fill the field.")


async def _infos(context: Context, entity: EntityType) -> list[FieldInfo]:
    builtin = list(catalogue.FIELDS_BY_ENTITY[entity])
    builtin += [
        catalogue.external_id_field(system, entity) for system in await fields.external_systems(context.session, entity)
    ]
    known = (await context.load(fields.by_entities, [entity]))[entity]
    of_customers = entity is EntityType.CUSTOMER
    infos = [
        FieldInfo(
            key=one.key,
            label=one.label,
            type=one.type,
            custom=None,
            filterable=one.filterable,
            sortable=one.sortable,
            exportable=one.exportable,
            importable=one.importable,
        )
        for one in builtin
    ]
    return infos + [
        FieldInfo(
            key=f"custom.{field.key}",
            label=field.label,
            type=CustomFieldType(field.type).name,
            custom=field,
            filterable=True,
            sortable=of_customers,
            exportable=True,
            importable=of_customers,
        )
        for field in known
        if field.active
    ]


@strawberry.type
class Query:
    @guarded(
        Permission.CUSTOMER_VIEW,
        "Built-in and custom fields, for column choosers, filter builders and import mappings.",
    )
    async def fields(
        self,
        info: Info,
        entity: Annotated[EntityType, strawberry.argument(description="Whose fields.")],
    ) -> list[FieldInfo]:
        return await _infos(info.context, entity)

    @guarded(Permission.CUSTOMER_VIEW, "Custom fields of customers or companies, in order.")
    async def custom_fields(
        self,
        info: Info,
        entity: Annotated[EntityType, strawberry.argument(description="Whose fields.")],
    ) -> list[CustomField]:
        return (await info.context.load(fields.by_entities, [entity]))[entity]


@strawberry.input(description="Values of a new custom field.")
class CustomFieldInput:
    entity: EntityType = strawberry.field(description="Entity that the field belongs to; it never changes.")
    key: str = strawberry.field(
        description=(
            "Key for programs, unique for its entity: a letter, then letters, digits, _ and -; at most 50 "
            "characters. It never changes."
        )
    )
    label: str = strawberry.field(description="Label for people.")
    description: Maybe[str | None] = strawberry.field(description="Purpose, as text for people.")
    type: CustomFieldType = strawberry.field(description="Type of the values; it never changes.")
    options: Maybe[list[str] | None] = strawberry.field(
        description="Options; required for SELECT and MULTI_SELECT, not allowed for other types. At most 1 000."
    )
    required: Maybe[bool | None] = strawberry.field(description="True if every saved record must have a value.")
    unique: Maybe[bool | None] = strawberry.field(
        description=(
            "True if no two records may share a value. Not available for LONG_TEXT, BOOLEAN, DATE_TIME, SELECT "
            "and MULTI_SELECT."
        )
    )
    position: Maybe[int | None] = strawberry.field(description="Position among the others. Default: last.")


@strawberry.input(description="Changes of a custom field. Absent fields keep their value.")
class CustomFieldUpdate:
    label: Maybe[str | None] = strawberry.field(description="Label for people.")
    description: Maybe[str | None] = strawberry.field(description="Purpose, as text for people.")
    options: Maybe[list[str] | None] = strawberry.field(
        description=(
            "Options in this order. An option that a record uses cannot be removed (OPTION_IN_USE). At most 1 000."
        )
    )
    required: Maybe[bool | None] = strawberry.field(description="True if every saved record must have a value.")
    active: Maybe[bool | None] = strawberry.field(
        description=(
            "False hides the field and keeps its values. Fails with IN_USE while a stored filter or sort uses "
            "the field."
        )
    )
    position: Maybe[int | None] = strawberry.field(description="Position among the others.")


@strawberry.type(description="Result of a custom field mutation.")
class CustomFieldPayload:
    custom_field: CustomField | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(custom_field: Any) -> CustomFieldPayload:
    return CustomFieldPayload(custom_field=custom_field)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which field.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.FIELD_MANAGE,
        "Creates a custom field for customers or companies. Requires FIELD_MANAGE. Errors: BLANK, INVALID, "
        "TOO_LONG, TAKEN, LIMIT_EXCEEDED.",
        payload=CustomFieldPayload,
    )
    async def custom_field_create(
        self,
        info: Info,
        input: Annotated[CustomFieldInput, strawberry.argument(description="Values of the field.")],
    ) -> CustomFieldPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.FIELD_MANAGE,
        "Changes, disables or enables a custom field. Requires FIELD_MANAGE. Errors: NOT_FOUND, CONFLICT, "
        "OPTION_IN_USE, IN_USE, INVALID, LIMIT_EXCEEDED.",
        payload=CustomFieldPayload,
    )
    async def custom_field_update(
        self,
        info: Info,
        id: _Which,
        input: Annotated[CustomFieldUpdate, strawberry.argument(description="Values of the field.")],
    ) -> CustomFieldPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.FIELD_MANAGE,
        "Deletes a custom field and all its values. Requires FIELD_MANAGE. Errors: NOT_FOUND, IN_USE, LIMIT_EXCEEDED.",
        payload=CustomFieldPayload,
    )
    async def custom_field_delete(self, info: Info, id: _Which) -> CustomFieldPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)
