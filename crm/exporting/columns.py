"""The columns of an export: which fields, under which headers, and what each cell holds."""

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
"""The cells of a column for the customers of a page, in their order."""


@dataclass(frozen=True, slots=True)
class ColumnNeeds:
    """What a column is made of: columns of the customers' own table, parts that hang on them, and how."""

    renderers: RenderCells
    columns: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


async def choose_columns(
    session: Session, wanted: Sequence[Mapping[str, Any]] | None, path: Path
) -> list[ExportColumn]:
    """Those wanted, {"field", "header"?} each; else all that can be exported, under their keys, which an import knows.
    Raises InputError FIELD_UNKNOWN, INVALID."""
    known = await file_columns.customer_columns(session)
    if wanted is None:
        return [ExportColumn(one, one.key) for one in known.values() if one.exportable][:MAX_COLUMNS]
    checks, chosen = ErrorCollector(), list[ExportColumn]()
    if not wanted or len(wanted) > MAX_COLUMNS:
        checks.add(ErrorCode.INVALID, f"Choose from 1 to {MAX_COLUMNS} columns.", path)
    for number, one in enumerate(wanted):
        column = file_columns.find_column(known, one["field"])
        if column is None or not column.exportable:
            message = f"There is no field “{one['field']}” to export; `fields` lists those there are."
            checks.add(ErrorCode.FIELD_UNKNOWN, message, (*path, number, "field"))
            continue
        header = checks.check(text_values.read_text, one.get("header"), (*path, number, "header")) or column.key
        if any(header == other.header for other in chosen):
            message = f"Two columns are called “{header}”; give one another header."
            checks.add(ErrorCode.INVALID, message, (*path, number, "header"))
        chosen.append(ExportColumn(column, header))
    checks.raise_if_any()
    return chosen


# ── cells ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(name: str) -> ColumnNeeds:
    return ColumnNeeds(lambda page: page.columns[name], (name,))


def _each(name: str, tell: Callable[[Any], Cell]) -> ColumnNeeds:
    return ColumnNeeds(lambda page: [None if value is None else tell(value) for value in page.columns[name]], (name,))


def _code(name: str, kind: Any) -> ColumnNeeds:
    shown = {int(one): one.name for one in kind}
    return ColumnNeeds(lambda page: [shown.get(value) for value in page.columns[name]], (name,))


def _list(part: str) -> ColumnNeeds:
    def show(page: ExportPage) -> Sequence[Cell]:
        held = page.lists[part].get
        return [held(identifier, []) for identifier in page.ids]

    return ColumnNeeds(show, parts=(part,))


def _shared(part: str) -> ColumnNeeds:
    column = SHARED_RECORDS[part]
    return ColumnNeeds(lambda page: [page.shared[part].get(key) for key in page.columns[column]], (column,), (part,))


def _id(prefix: str) -> ColumnNeeds:
    return ColumnNeeds(lambda page: [prefix + identifier.hex() for identifier in page.ids])


_NEEDS: Final[Mapping[str, ColumnNeeds]] = {
    "id": _id(wire_format.PREFIXES["Customer"] + "_"),
    "name": _plain("name"),
    "nickname": _plain("nickname"),
    "realName": _plain("real_name"),
    "avatarUrl": _plain("avatar_url"),
    "phone": _plain("phone"),
    "phones": _list("phones"),
    "email": _plain("email"),
    "emails": _list("emails"),
    "gender": _code("gender", Gender),
    "birthDate": _plain("birth_date"),
    "value": _each("value", wire_format.format_decimal),
    "source": _plain("source"),
    "channel": _plain("channel"),
    "relationshipStatus": _code("relationship_status", RelationshipStatus),
    "subscriptionStatus": _code("subscription_status", SubscriptionStatus),
    "stage": _code("stage", CustomerStage),
    "verification": _code("verification", Verification),
    "followUpStage": _plain("follow_up_stage"),
    "resellerRelationship": _plain("reseller_relationship"),
    "archivedAt": _each("archived_at", wire_format.format_moment),
    "createdAt": _each("created_at", wire_format.format_moment),
    "updatedAt": _each("updated_at", wire_format.format_moment),
    "tags": _list("tags"),
    "wechatFriends": _list("friends"),
    "address.line1": _plain("address_line1"),
    "address.line2": _plain("address_line2"),
    "address.city": _plain("city"),
    "address.region": _plain("region"),
    "address.postalCode": _plain("postal_code"),
    "address.country": _plain("country"),
    "company": _shared("companies"),
    "owner": _shared("agents"),
    "department": _shared("departments"),
}


def needs_of(column: FileColumn) -> ColumnNeeds:
    """What a column of the file is made of."""
    if column.custom is not None:
        return _custom(column.custom)
    return _NEEDS[column.key] if column.system is None else _system(column.system)


def _system(system: str) -> ColumnNeeds:
    def show(page: ExportPage) -> Sequence[Cell]:
        held = page.lists["external_ids"].get(system, {})
        return [[row.value for row in held.get(identifier, ())] for identifier in page.ids]

    return ColumnNeeds(show, parts=("external_ids",))


def _custom(field: Any) -> ColumnNeeds:
    def show(page: ExportPage) -> Sequence[Cell]:
        held = page.lists["values"].get(field.id, {})
        shown = {
            identifier: custom_values.value_for_log(field, custom_values.value_from_rows(field, rows))
            for identifier, rows in held.items()
        }
        return [shown.get(identifier) for identifier in page.ids]

    return ColumnNeeds(show, parts=("values",))
