"""Custom fields: what a workspace wants to know beyond the built-in fields."""

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

FieldKeyArgument: TypeAlias = Annotated[str, strawberry.argument(description="The field's key.")]
FieldKeysArgument: TypeAlias = Annotated[
    list[str] | None, strawberry.argument(description="Only these fields, in this order; at most 1 000.")
]


@strawberry.type(description="A field that the workspace added to its customers or companies.")
class CustomField(Node):
    is_type_of = is_row_of(tables.CustomField)

    id: strawberry.ID = column("The field's id.", convert=ids.id_encoder("CustomField"))
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


@strawberry.input(description="A value for a custom field.")
class CustomFieldValueInput:
    key: str = strawberry.field(description="The field's key.")
    value: strawberry.Maybe[JSON | None] = strawberry.field(
        description="A string, number, boolean or list of options, as the field's type wants it; null clears it."
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
    """For each record its active fields, or those with the keys, each with its value.

    Raises BadUserInput, reason FIELD_UNKNOWN, for a key that is no active field's.
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


@strawberry.type(description="A field that columns, filters, sorts, imports or exports can name.")
class FieldInfo:
    key: str = strawberry.field(
        description="Its one name for programs: name, address.city, externalId.erp, custom.tier."
    )
    label: str = strawberry.field(description="Its name for people.")
    type: str = strawberry.field(
        description="The name of its type in the schema; of a custom field, its CustomFieldType."
    )
    custom: CustomField | None = strawberry.field(description="The custom field; null for a built-in one.")
    filterable: bool = strawberry.field(description="True when a filter can ask of it.")
    sortable: bool = strawberry.field(description="True when a sort can name it.")
    exportable: bool = strawberry.field(description="True when it can be a column of an export.")
    importable: bool = strawberry.field(description="True when a column of an import can fill it.")


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
    @guarded(Permission.CUSTOMER_VIEW, "What columns, filters and imports can offer: built-in fields and custom ones.")
    async def fields(
        self,
        info: Info,
        entity: Annotated[EntityType, strawberry.argument(description="Whose fields.")],
    ) -> list[FieldInfo]:
        return await _infos(info.context, entity)

    @guarded(Permission.CUSTOMER_VIEW, "The custom fields of customers or companies, in order.")
    async def custom_fields(
        self,
        info: Info,
        entity: Annotated[EntityType, strawberry.argument(description="Whose fields.")],
    ) -> list[CustomField]:
        return (await info.context.load(fields.by_entities, [entity]))[entity]


@strawberry.input(description="A new custom field.")
class CustomFieldInput:
    entity: EntityType = strawberry.field(description="What it belongs to; never changes.")
    key: str = strawberry.field(
        description="Its name for programs, unique for its entity: a letter, then letters, digits, _ and -; 50 at most."
        " It never changes."
    )
    label: str = strawberry.field(description="Its name for people.")
    description: Maybe[str | None] = strawberry.field(description="What it is for.")
    type: CustomFieldType = strawberry.field(description="The type of its values; never changes.")
    options: Maybe[list[str] | None] = strawberry.field(
        description="What can be chosen: needed for SELECT and MULTI_SELECT, for them alone. 1 000 at most."
    )
    required: Maybe[bool | None] = strawberry.field(description="True when a record must have a value from now on.")
    unique: Maybe[bool | None] = strawberry.field(
        description="True when no two records may share a value; not for LONG_TEXT, BOOLEAN, DATE_TIME and options."
    )
    position: Maybe[int | None] = strawberry.field(description="Its place among the others; the last unless given.")


@strawberry.input(description="What a custom field is to be. What is left out stays as it is.")
class CustomFieldUpdate:
    label: Maybe[str | None] = strawberry.field(description="Its name for people.")
    description: Maybe[str | None] = strawberry.field(description="What it is for.")
    options: Maybe[list[str] | None] = strawberry.field(
        description="What can be chosen, in this order; one that a record has cannot go. 1 000 at most."
    )
    required: Maybe[bool | None] = strawberry.field(description="True when a record must have a value from now on.")
    active: Maybe[bool | None] = strawberry.field(
        description="False hides it and keeps its values; refused while something stored filters or sorts by it."
    )
    position: Maybe[int | None] = strawberry.field(description="Its place among the others.")


@strawberry.type(description="What became of a custom field.")
class CustomFieldPayload:
    custom_field: CustomField | None = strawberry.field(
        default=None, description="As it is now, or was; null when refused."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(custom_field: Any) -> CustomFieldPayload:
    return CustomFieldPayload(custom_field=custom_field)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which field.")]


@strawberry.type
class Mutation:
    @mutation(Permission.FIELD_MANAGE, "Add a field to customers or companies.", payload=CustomFieldPayload)
    async def custom_field_create(
        self,
        info: Info,
        input: Annotated[CustomFieldInput, strawberry.argument(description="What the field is to be.")],
    ) -> CustomFieldPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(Permission.FIELD_MANAGE, "Change a custom field, or switch it off or on.", payload=CustomFieldPayload)
    async def custom_field_update(
        self,
        info: Info,
        id: _Which,
        input: Annotated[CustomFieldUpdate, strawberry.argument(description="What the field is to be.")],
    ) -> CustomFieldPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(Permission.FIELD_MANAGE, "Delete a custom field and all its values.", payload=CustomFieldPayload)
    async def custom_field_delete(self, info: Info, id: _Which) -> CustomFieldPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)
