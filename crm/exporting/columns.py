"""The columns of an export: their fields, their headers and the content of their cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm.catalogue import file_columns
from crm.catalogue.file_columns import FileColumn
from crm.errors import ErrorCode, Path
from crm.exporting.pages import SHARED_RECORDS, ExportPage
from crm.files.tables import MAX_COLUMNS
from crm.files.writers import Cell
from crm.validation import ErrorCollector
from crm.values import custom_values, text_values
from db.engine import Session
from db.tables.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, Verification
from db.values import wire_format


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of the file."""

    column: FileColumn
    header: str


RenderCells = Callable[[ExportPage], Sequence[Cell]]
"""Renders the cells of a column for the customers of a page, in their order."""


@dataclass(frozen=True, slots=True)
class ColumnNeeds:
    """The data that a column needs: columns of the customer table, related parts, and the function that renders the
    cells."""

    renderers: RenderCells
    columns: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


async def choose_columns(
    session: Session, requested: Sequence[Mapping[str, Any]] | None, path: Path
) -> list[ExportColumn]:
    """The requested columns, {"field", "header"?} each. By default all exportable fields, with their keys as headers,
    which an import recognizes. Raises InputError FIELD_UNKNOWN, INVALID."""
    known_columns = await file_columns.customer_columns(session)
    if requested is None:
        return [ExportColumn(request, request.key) for request in known_columns.values() if request.exportable][
            :MAX_COLUMNS
        ]
    errors, export_columns = ErrorCollector(), list[ExportColumn]()
    if not requested or len(requested) > MAX_COLUMNS:
        errors.add(ErrorCode.INVALID, f"Choose between 1 and {MAX_COLUMNS} columns.", path)
    for index, request in enumerate(requested):
        column = file_columns.find_column(known_columns, request["field"])
        if column is None or not column.exportable:
            message = f"There is no field “{request['field']}” to export; choose one of the listed fields."
            errors.add(ErrorCode.FIELD_UNKNOWN, message, (*path, index, "field"))
            continue
        header = errors.check(text_values.read_text, request.get("header"), (*path, index, "header")) or column.key
        if any(header == other.header for other in export_columns):
            message = f"Two columns have the header “{header}”; give one of them another header."
            errors.add(ErrorCode.INVALID, message, (*path, index, "header"))
        export_columns.append(ExportColumn(column, header))
    errors.raise_if_any()
    return export_columns


# ── cells ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plain_column(name: str) -> ColumnNeeds:
    return ColumnNeeds(lambda page: page.columns[name], (name,))


def _converted_column(name: str, convert: Callable[[Any], Cell]) -> ColumnNeeds:
    return ColumnNeeds(
        lambda page: [None if value is None else convert(value) for value in page.columns[name]], (name,)
    )


def _enum_column(name: str, kind: Any) -> ColumnNeeds:
    names = {int(member): member.name for member in kind}
    return ColumnNeeds(lambda page: [names.get(value) for value in page.columns[name]], (name,))


def _list_column(part: str) -> ColumnNeeds:
    def render(page: ExportPage) -> Sequence[Cell]:
        values_of = page.lists[part].get
        return [values_of(identifier, []) for identifier in page.ids]

    return ColumnNeeds(render, parts=(part,))


def _shared_column(part: str) -> ColumnNeeds:
    column = SHARED_RECORDS[part]
    return ColumnNeeds(lambda page: [page.shared[part].get(key) for key in page.columns[column]], (column,), (part,))


def _id_column(prefix: str) -> ColumnNeeds:
    return ColumnNeeds(lambda page: [prefix + identifier.hex() for identifier in page.ids])


_COLUMN_NEEDS: Final[Mapping[str, ColumnNeeds]] = {
    "id": _id_column(wire_format.PREFIXES["Customer"] + "_"),
    "name": _plain_column("name"),
    "nickname": _plain_column("nickname"),
    "realName": _plain_column("real_name"),
    "avatarUrl": _plain_column("avatar_url"),
    "phone": _plain_column("phone"),
    "phones": _list_column("phones"),
    "email": _plain_column("email"),
    "emails": _list_column("emails"),
    "gender": _enum_column("gender", Gender),
    "birthDate": _plain_column("birth_date"),
    "value": _converted_column("value", wire_format.format_decimal),
    "source": _plain_column("source"),
    "channel": _plain_column("channel"),
    "relationshipStatus": _enum_column("relationship_status", RelationshipStatus),
    "subscriptionStatus": _enum_column("subscription_status", SubscriptionStatus),
    "stage": _enum_column("stage", CustomerStage),
    "verification": _enum_column("verification", Verification),
    "followUpStage": _plain_column("follow_up_stage"),
    "resellerRelationship": _plain_column("reseller_relationship"),
    "archivedAt": _converted_column("archived_at", wire_format.format_moment),
    "createdAt": _converted_column("created_at", wire_format.format_moment),
    "updatedAt": _converted_column("updated_at", wire_format.format_moment),
    "tags": _list_column("tags"),
    "wechatFriends": _list_column("friends"),
    "address.line1": _plain_column("address_line1"),
    "address.line2": _plain_column("address_line2"),
    "address.city": _plain_column("city"),
    "address.region": _plain_column("region"),
    "address.postalCode": _plain_column("postal_code"),
    "address.country": _plain_column("country"),
    "company": _shared_column("companies"),
    "owner": _shared_column("agents"),
    "department": _shared_column("departments"),
}


def needs_of(column: FileColumn) -> ColumnNeeds:
    """The data that a column of the file needs."""
    if column.custom is not None:
        return _custom_column(column.custom)
    return _COLUMN_NEEDS[column.key] if column.system is None else _system_column(column.system)


def _system_column(system: str) -> ColumnNeeds:
    def render(page: ExportPage) -> Sequence[Cell]:
        rows_by_customer = page.lists["external_ids"].get(system, {})
        return [[row.value for row in rows_by_customer.get(identifier, ())] for identifier in page.ids]

    return ColumnNeeds(render, parts=("external_ids",))


def _custom_column(field: Any) -> ColumnNeeds:
    def render(page: ExportPage) -> Sequence[Cell]:
        rows_by_customer = page.lists["values"].get(field.id, {})
        cells = {
            identifier: custom_values.value_for_log(field, custom_values.value_from_rows(field, rows))
            for identifier, rows in rows_by_customer.items()
        }
        return [cells.get(identifier) for identifier in page.ids]

    return ColumnNeeds(render, parts=("values",))
