"""The columns of an export: which fields, under which headers, and what each cell holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm import columns, texts, values
from crm.checking import Checks
from crm.columns import CUSTOM, Column
from crm.errors import ErrorCode, Path
from crm.files.tables import MOST_COLUMNS
from crm.files.writing import Cell
from db import wire
from db.engine import Session
from db.tables.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, Verification


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column of the file."""

    column: Column
    header: str


@dataclass(slots=True)
class Page:
    """What is known of some customers: what hangs on each by its id, and what they share by its own."""

    phones: Mapping[bytes, Any]
    emails: Mapping[bytes, Any]
    tags: Mapping[bytes, Any]
    friends: Mapping[bytes, Any]
    external_ids: Mapping[bytes, Any]
    values: Mapping[bytes, Mapping[bytes, list[Any]]]
    agents: Mapping[bytes, Any]
    companies: Mapping[bytes, Any]
    departments: Mapping[bytes, Any]


Show = Callable[[Any, Page], Cell]


async def choose(session: Session, wanted: Sequence[Mapping[str, Any]] | None, path: Path) -> list[Chosen]:
    """Those wanted, {"field", "header"?} each; else all that can be exported, under their keys, which an import knows.
    Raises Refused FIELD_UNKNOWN, INVALID."""
    known = await columns.of_customers(session)
    if wanted is None:
        return [Chosen(one, one.key) for one in known.values() if one.exportable][:MOST_COLUMNS]
    checks, chosen = Checks(), list[Chosen]()
    if not wanted or len(wanted) > MOST_COLUMNS:
        checks.refuse(ErrorCode.INVALID, f"Choose from 1 to {MOST_COLUMNS} columns.", path)
    for number, one in enumerate(wanted):
        column = columns.named(known, one["field"])
        if column is None or not column.exportable:
            message = f"There is no field “{one['field']}” to export; `fields` lists those there are."
            checks.refuse(ErrorCode.FIELD_UNKNOWN, message, (*path, number, "field"))
            continue
        header = checks.read(texts.text, one.get("header"), (*path, number, "header")) or column.key
        if any(header == other.header for other in chosen):
            message = f"Two columns are called “{header}”; give one another header."
            checks.refuse(ErrorCode.INVALID, message, (*path, number, "header"))
        chosen.append(Chosen(column, header))
    checks.end()
    return chosen


# ── cells ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(name: str) -> Show:
    return lambda row, _: getattr(row, name)


def _moment(name: str) -> Show:
    def show(row: Any, _: Page) -> Cell:
        value = getattr(row, name)
        return None if value is None else wire.show_moment(value)

    return show


def _code(name: str, kind: Any) -> Show:
    shown = {int(one): one.name for one in kind}
    return lambda row, _: shown.get(getattr(row, name))


def _held(part: str, name: str) -> Show:
    def show(row: Any, page: Page) -> Cell:
        return [getattr(one, name) for one in getattr(page, part).get(row.id, ())]

    return show


def _shared(part: str, column: str, name: str) -> Show:
    def show(row: Any, page: Page) -> Cell:
        found = getattr(page, part).get(getattr(row, column))
        return None if found is None else getattr(found, name)

    return show


_CUSTOMER: Final = wire.wire("Customer")
_SHOWN: Final[Mapping[str, Show]] = {
    "id": lambda row, _: _CUSTOMER(row.id),
    "name": _plain("name"),
    "nickname": _plain("nickname"),
    "realName": _plain("real_name"),
    "avatarUrl": _plain("avatar_url"),
    "phone": _plain("phone"),
    "phones": _held("phones", "phone"),
    "email": _plain("email"),
    "emails": _held("emails", "email"),
    "gender": _code("gender", Gender),
    "birthDate": _plain("birth_date"),
    "value": lambda row, _: wire.show_decimal(row.value),
    "source": _plain("source"),
    "channel": _plain("channel"),
    "relationshipStatus": _code("relationship_status", RelationshipStatus),
    "subscriptionStatus": _code("subscription_status", SubscriptionStatus),
    "stage": _code("stage", CustomerStage),
    "verification": _code("verification", Verification),
    "followUpStage": _plain("follow_up_stage"),
    "resellerRelationship": _plain("reseller_relationship"),
    "archivedAt": _moment("archived_at"),
    "createdAt": _moment("created_at"),
    "updatedAt": _moment("updated_at"),
    "tags": _held("tags", "name"),
    "wechatFriends": _held("friends", "email"),
    "address.line1": _plain("address_line1"),
    "address.line2": _plain("address_line2"),
    "address.city": _plain("city"),
    "address.region": _plain("region"),
    "address.postalCode": _plain("postal_code"),
    "address.country": _plain("country"),
    "company": _shared("companies", "company_id", "name"),
    "owner": _shared("agents", "owner_id", "email"),
    "department": _shared("departments", "department_id", "name"),
}
PARTS: Final[Mapping[str, str]] = {
    "phones": "phones",
    "emails": "emails",
    "tags": "tags",
    "wechatFriends": "friends",
    "company": "companies",
    "owner": "agents",
    "department": "departments",
}
"""What has to be loaded for a field."""


def part(column: Column) -> str | None:
    if column.system is not None:
        return "external_ids"
    return "values" if column.key.startswith(CUSTOM) else PARTS.get(column.key)


def show(column: Column) -> Show:
    """How a cell of the column is made."""
    if column.custom is not None:
        return _custom(column.custom)
    system = column.system
    if system is None:
        return _SHOWN[column.key]

    def ids(row: Any, page: Page) -> Cell:
        return [one.value for one in page.external_ids.get(row.id, ()) if one.system == system]

    return ids


def _custom(field: Any) -> Show:
    def value(row: Any, page: Page) -> Cell:
        rows = page.values.get(row.id, {}).get(field.id)
        found: Cell = values.told(field, values.read(field, rows)) if rows else None
        return found

    return value
