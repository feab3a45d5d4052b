"""Putting customers back to what the log of changes says that they were: `telling`, the other way round."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from crm.customers.change_fields import LOGGED_COLUMNS
from crm.customers.loaded_customer import LoadedCustomer, load_custom_fields
from crm.errors import ErrorCode, InputError
from crm.unit_of_work import UnitOfWork
from db import tables
from db.queries.catalogue import agents, companies, departments, tags
from db.rows import new_row
from db.tables.enums import CustomerStage as Stage
from db.tables.enums import CustomFieldType, Gender, RelationshipStatus, SubscriptionStatus, Verification
from db.values import wire_format

_PARTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("phone", "phones"), "phones"),
    **dict.fromkeys(("email", "emails"), "emails"),
    "tags": "tags",
    "company": "company",
    "wechatFriends": "friends",
    "block": "block",
}
_FOUND_BY: Final = frozenset({"name", "nickname", "realName", "phones", "emails", "tags", "company"})
_CODES: Final[Mapping[str, Any]] = {
    "gender": Gender,
    "relationshipStatus": RelationshipStatus,
    "subscriptionStatus": SubscriptionStatus,
    "stage": Stage,
    "verification": Verification,
}
_IDS: Final = {"company": "Company", "owner": "Agent", "previousOwner": "Agent", "department": "Department"}
_OF_COLUMN: Final = {name: column for name, column, _ in LOGGED_COLUMNS}

LoggedFields = Sequence[Mapping[str, Any]]
"""{field, before, after}, as the log has them."""


def parts_of_fields(fields: Iterable[str]) -> frozenset[str]:
    """The parts of a customer that these fields of the log are about."""
    parts = set()
    for name in fields:
        kind = name.partition(".")[0]
        part = {"externalId": "external_ids", "custom": "values"}.get(kind) or _PARTS.get(name)
        if part is not None:
            parts.add(part)
        if name in _FOUND_BY or kind in ("address", "externalId", "custom"):
            parts.add("search_text")
    return frozenset(parts)


async def restore_fields(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, Sequence[LoggedFields]]]) -> None:
    """Each customer's fields become what they were before these lines, the newest line first. The customers hold the
    parts that the lines are about and remember what they are; the caller writes them."""
    if not pairs:
        return
    custom = {f"custom.{one.key}": one for one in await load_custom_fields(unit)}
    known = await _Known.of(unit, [field for _, lines in pairs for line in lines for field in line])
    for state, lines in pairs:
        for line in lines:
            for field in line:
                _put(unit, state, field["field"], field["before"], known, custom)
        _settle(unit, state)
    await _given_back(unit, [state for state, _ in pairs])


async def _given_back(unit: UnitOfWork, restored: Sequence[LoadedCustomer]) -> None:
    """Whose former owner was deactivated since is refused; one who is full by now gets his own back."""
    moved = [
        state
        for state in restored
        if state.original and state.row.owner_id not in (None, state.original.columns["owner_id"])
    ]
    if not moved:
        return
    owners = await agents.by_ids(unit.transaction, list({state.row.owner_id for state in moved}))
    for state in moved:
        agent = owners[state.row.owner_id]
        if not agent.active and agent.updated_at >= state.row.updated_at:
            message = f"{agent.name}, who looked after “{state.row.name}” before, is not active any more."
            state.add_error(InputError(ErrorCode.CONFLICT, message, ("id",)))


class _Known:
    """What the lines name."""

    def __init__(self) -> None:
        self.tags: Mapping[bytes, Any] = {}
        self.companies: Mapping[bytes, Any] = {}
        self.agents: Mapping[bytes, Any] = {}
        self.departments: Mapping[bytes, Any] = {}

    @classmethod
    async def of(cls, unit: UnitOfWork, fields: LoggedFields) -> "_Known":
        found = cls()
        wanted: dict[str, set[bytes]] = {"tags": set(), "company": set(), "wechatFriends": set(), "department": set()}
        for one in fields:
            if one["field"] in wanted and one["before"]:
                listed = one["before"] if isinstance(one["before"], list) else [one["before"]]
                wanted[one["field"]] |= {split[1] for each in listed if (split := wire_format.split_id(each))}
        if wanted["tags"]:
            found.tags = await tags.by_ids(unit.transaction, list(wanted["tags"]))
        if wanted["company"]:
            found.companies = await companies.by_ids(unit.transaction, list(wanted["company"]))
        if wanted["wechatFriends"]:
            found.agents = await agents.by_ids(unit.transaction, list(wanted["wechatFriends"]))
        if wanted["department"]:
            found.departments = await departments.by_ids(unit.transaction, list(wanted["department"]))
        return found


def _put(
    unit: UnitOfWork, state: LoadedCustomer, name: str, was: Any, known: _Known, custom: Mapping[str, Any]
) -> None:
    if name in _OF_COLUMN and name not in ("phone", "email"):
        setattr(state.row, _OF_COLUMN[name], _column(name, was))
        if name == "company":
            state.company = known.companies.get(state.row.company_id)
            state.row.company_id = state.company and state.company.id
        if name == "department" and state.row.department_id not in known.departments:
            state.row.department_id = None
    elif name in ("phones", "emails"):
        setattr(state, name, list(was or ()))
    elif name == "tags":
        ids = [split[1] for one in was or () if (split := wire_format.split_id(one))]
        state.tags = {one: known.tags[one] for one in ids if one in known.tags}
    elif name == "wechatFriends":
        ids = [split[1] for one in was or () if (split := wire_format.split_id(one))]
        state.friends = [one for one in ids if one in known.agents]
    elif name == "block":
        state.block = None if was is None else _block(unit, state, was)
    elif name.startswith("externalId."):
        system = name.removeprefix("externalId.")
        listed = [] if was is None else was if isinstance(was, list) else [was]
        others = [pair for pair in state.external_ids if pair[0] != system]
        state.external_ids = others + [(system, one) for one in listed]
    elif name in custom:
        _value(state, custom[name], was)


def _column(name: str, was: Any) -> Any:
    if was is None:
        return 0 if name == "value" else None
    if name in _CODES:
        return int(_CODES[name][was])
    if name in _IDS:
        return wire_format.decode_id(_IDS[name], was)
    if name == "value":
        return int(Decimal(was).scaleb(wire_format.SCALE))
    return wire_format.parse_moment(was) if name == "archivedAt" else was


def _block(unit: UnitOfWork, state: LoadedCustomer, was: Mapping[str, Any]) -> Any:
    """Who blocked is not told by the log: whoever puts it back does."""
    return new_row(
        tables.CustomerBlock,
        workspace_id=unit.workspace_id,
        customer_id=state.id,
        reason=was["reason"],
        until=was["until"] and wire_format.parse_moment(was["until"]),
        actor_kind=int(unit.author.kind),
        actor_id=unit.author.id,
        at=unit.now,
    )


def _value(state: LoadedCustomer, field: Any, was: Any) -> None:
    if was is None or was == []:
        state.values.pop(field.id, None)
        return
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.DATE_TIME:
        was = wire_format.parse_moment(was)
    state.values[field.id] = float(was) if kind is CustomFieldType.NUMBER else was


def _settle(unit: UnitOfWork, state: LoadedCustomer) -> None:
    """What goes with the owner and is not told."""
    row = state.row
    assert state.original is not None
    if row.owner_id != state.original.columns["owner_id"]:
        row.owned_since = None if row.owner_id is None else unit.now
        row.released_at = None
