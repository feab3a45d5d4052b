"""Restores the earlier values of customers from the change log: the reverse of `change_fields`."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from crm.customers.change_fields import LOGGED_COLUMNS
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError
from crm.unit_of_work import UnitOfWork
from db import tables
from db.queries.catalogue import agents, companies, departments, tags
from db.rows import new_row
from db.tables.enums import CustomerStage as Stage
from db.tables.enums import CustomFieldType, EntityType, Gender, RelationshipStatus, SubscriptionStatus, Verification
from db.values import wire_format

_PART_BY_FIELD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("phone", "phones"), "phones"),
    **dict.fromkeys(("email", "emails"), "emails"),
    "tags": "tags",
    "company": "company",
    "wechatFriends": "friends",
    "block": "block",
}
_SEARCHED_FIELDS: Final = frozenset({"name", "nickname", "realName", "phones", "emails", "tags", "company"})
_ENUM_FIELDS: Final[Mapping[str, Any]] = {
    "gender": Gender,
    "relationshipStatus": RelationshipStatus,
    "subscriptionStatus": SubscriptionStatus,
    "stage": Stage,
    "verification": Verification,
}
_REFERENCE_FIELDS: Final = {
    "company": "Company",
    "owner": "Agent",
    "previousOwner": "Agent",
    "department": "Department",
}
_COLUMN_BY_FIELD: Final = {name: column for name, column, _ in LOGGED_COLUMNS}

LoggedFields = Sequence[Mapping[str, Any]]
"""{field, before, after} entries, as stored in the log."""


def parts_of_fields(fields: Iterable[str]) -> frozenset[str]:
    """The parts of a customer that these log fields concern."""
    parts = set()
    for name in fields:
        kind = name.partition(".")[0]
        part = {"externalId": "external_ids", "custom": "values"}.get(kind) or _PART_BY_FIELD.get(name)
        if part is not None:
            parts.add(part)
        if name in _SEARCHED_FIELDS or kind in ("address", "externalId", "custom"):
            parts.add("search_text")
    return frozenset(parts)


async def restore_fields(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, Sequence[LoggedFields]]]) -> None:
    """Restores each customer's fields to the values before these log entries, the newest entry first.

    The customers have the parts that the entries concern and their original values; the caller writes them."""
    if not pairs:
        return
    custom_fields = {f"custom.{field_.key}": field_ for field_ in await unit.custom_fields(EntityType.CUSTOMER)}
    references = await _LoggedReferences.load(
        unit, [field for _, entries in pairs for entry in entries for field in entry]
    )
    for state, entries in pairs:
        for entry in entries:
            for field in entry:
                _restore_field(unit, state, field["field"], field["before"], references, custom_fields)
        _reset_owner_times(unit, state)
    await _check_former_owners(unit, [state for state, _ in pairs])


async def _check_former_owners(unit: UnitOfWork, restored: Sequence[LoadedCustomer]) -> None:
    """Adds errors to customers whose former owner was deactivated since. An owner at full capacity still gets their
    customers back."""
    reassigned = [
        state
        for state in restored
        if state.original and state.row.owner_id not in (None, state.original.columns["owner_id"])
    ]
    if not reassigned:
        return
    owners = await agents.by_ids(unit.transaction, list({state.row.owner_id for state in reassigned}))
    for state in reassigned:
        agent = owners[state.row.owner_id]
        if not agent.active and agent.updated_at >= state.row.updated_at:
            message = f"{agent.name}, the former owner of “{state.row.name}”, is not active any more."
            state.add_error(InputError(ErrorCode.CONFLICT, message, ("id",)))


class _LoggedReferences:
    """The records that the log entries refer to."""

    def __init__(self) -> None:
        self.tags: Mapping[bytes, Any] = {}
        self.companies: Mapping[bytes, Any] = {}
        self.agents: Mapping[bytes, Any] = {}
        self.departments: Mapping[bytes, Any] = {}

    @classmethod
    async def load(cls, unit: UnitOfWork, fields: LoggedFields) -> "_LoggedReferences":
        references = cls()
        ids_by_field: dict[str, set[bytes]] = {
            "tags": set(),
            "company": set(),
            "wechatFriends": set(),
            "department": set(),
        }
        for entry in fields:
            if entry["field"] in ids_by_field and entry["before"]:
                wire_ids = entry["before"] if isinstance(entry["before"], list) else [entry["before"]]
                ids_by_field[entry["field"]] |= {
                    parsed[1] for wire_id in wire_ids if (parsed := wire_format.split_id(wire_id))
                }
        if ids_by_field["tags"]:
            references.tags = await tags.by_ids(unit.transaction, list(ids_by_field["tags"]))
        if ids_by_field["company"]:
            references.companies = await companies.by_ids(unit.transaction, list(ids_by_field["company"]))
        if ids_by_field["wechatFriends"]:
            references.agents = await agents.by_ids(unit.transaction, list(ids_by_field["wechatFriends"]))
        if ids_by_field["department"]:
            references.departments = await departments.by_ids(unit.transaction, list(ids_by_field["department"]))
        return references


def _restore_field(
    unit: UnitOfWork,
    state: LoadedCustomer,
    name: str,
    before: Any,
    references: _LoggedReferences,
    custom_fields: Mapping[str, Any],
) -> None:
    if name in _COLUMN_BY_FIELD and name not in ("phone", "email"):
        setattr(state.row, _COLUMN_BY_FIELD[name], _column_value(name, before))
        if name == "company":
            state.company = references.companies.get(state.row.company_id)
            state.row.company_id = state.company and state.company.id
        if name == "department" and state.row.department_id not in references.departments:
            state.row.department_id = None
    elif name in ("phones", "emails"):
        setattr(state, name, list(before or ()))
    elif name == "tags":
        ids = [parsed[1] for item in before or () if (parsed := wire_format.split_id(item))]
        state.tags = {item: references.tags[item] for item in ids if item in references.tags}
    elif name == "wechatFriends":
        ids = [parsed[1] for item in before or () if (parsed := wire_format.split_id(item))]
        state.friends = [item for item in ids if item in references.agents]
    elif name == "block":
        state.block = None if before is None else _restored_block(unit, state, before)
    elif name.startswith("externalId."):
        system = name.removeprefix("externalId.")
        values = [] if before is None else before if isinstance(before, list) else [before]
        others = [pair for pair in state.external_ids if pair[0] != system]
        state.external_ids = others + [(system, item) for item in values]
    elif name in custom_fields:
        _restore_custom_value(state, custom_fields[name], before)


def _column_value(name: str, before: Any) -> Any:
    if before is None:
        return 0 if name == "value" else None
    if name in _ENUM_FIELDS:
        return int(_ENUM_FIELDS[name][before])
    if name in _REFERENCE_FIELDS:
        return wire_format.decode_id(_REFERENCE_FIELDS[name], before)
    if name == "value":
        return int(Decimal(before).scaleb(wire_format.SCALE))
    return wire_format.parse_moment(before) if name == "archivedAt" else before


def _restored_block(unit: UnitOfWork, state: LoadedCustomer, before: Mapping[str, Any]) -> Any:
    """The restored block. The log does not contain who blocked the customer, so the restoring author is used."""
    return new_row(
        tables.CustomerBlock,
        workspace_id=unit.workspace_id,
        customer_id=state.id,
        reason=before["reason"],
        until=before["until"] and wire_format.parse_moment(before["until"]),
        actor_kind=int(unit.author.kind),
        actor_id=unit.author.id,
        at=unit.now,
    )


def _restore_custom_value(state: LoadedCustomer, field: Any, before: Any) -> None:
    if before is None or before == []:
        state.values.pop(field.id, None)
        return
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.DATE_TIME:
        before = wire_format.parse_moment(before)
    state.values[field.id] = float(before) if kind is CustomFieldType.NUMBER else before


def _reset_owner_times(unit: UnitOfWork, state: LoadedCustomer) -> None:
    """Sets the times that depend on the owner and are not logged."""
    row = state.row
    assert state.original is not None
    if row.owner_id != state.original.columns["owner_id"]:
        row.owned_since = None if row.owner_id is None else unit.now
        row.released_at = None
