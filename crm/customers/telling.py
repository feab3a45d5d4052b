"""A customer as the log tells it: the fields by the names that columns and mappings use, in output form."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import changes, values
from crm.customers.states import State, Was
from db import wire
from db.tables.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, Verification

_AGENT, _COMPANY, _DEPARTMENT, _TAG = (wire.wire(kind) for kind in ("Agent", "Company", "Department", "Tag"))
_CUSTOMER = wire.wire("Customer")

# Field of the log, column, how the column is shown.
COLUMNS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("name", "name", None),
    ("nickname", "nickname", None),
    ("realName", "real_name", None),
    ("avatarUrl", "avatar_url", None),
    ("phone", "phone", None),
    ("email", "email", None),
    ("gender", "gender", lambda code: Gender(code).name),
    ("birthDate", "birth_date", None),
    ("value", "value", wire.show_decimal),
    ("source", "source", None),
    ("channel", "channel", None),
    ("relationshipStatus", "relationship_status", lambda code: RelationshipStatus(code).name),
    ("subscriptionStatus", "subscription_status", lambda code: SubscriptionStatus(code).name),
    ("stage", "stage", lambda code: CustomerStage(code).name),
    ("verification", "verification", lambda code: Verification(code).name),
    ("followUpStage", "follow_up_stage", None),
    ("resellerRelationship", "reseller_relationship", None),
    ("archivedAt", "archived_at", wire.show_moment),
    ("address.line1", "address_line1", None),
    ("address.line2", "address_line2", None),
    ("address.city", "city", None),
    ("address.region", "region", None),
    ("address.postalCode", "postal_code", None),
    ("address.country", "country", None),
    ("company", "company_id", _COMPANY),
    ("owner", "owner_id", _AGENT),
    ("previousOwner", "previous_owner_id", _AGENT),
    ("department", "department_id", _DEPARTMENT),
)


def told(state: State, fields: Sequence[Any]) -> dict[str, Any]:
    """What the log says of the customer now: columns, and the parts that are loaded. `fields` are the custom ones."""
    row = state.row
    found: dict[str, Any] = {}
    for name, column, show in COLUMNS:
        value = getattr(row, column)
        found[name] = value if value is None or show is None else show(value)
    return found | _parts(state, fields)


def different(state: State, fields: Sequence[Any]) -> list[dict[str, Any]]:
    """What the log says of a customer who is not what it was. Columns are compared as they are stored, for few of them
    differ; then they are told."""
    assert state.was is not None
    before, now = state.was.columns, vars(state.row)
    found = []
    for name, column, show in COLUMNS:
        if before[column] != now[column]:
            was, value = _shown(before[column], show), _shown(now[column], show)
            if was != value:
                found.append({"field": name, "before": was, "after": value})
    return found + changes.differing(state.was.told, _parts(state, fields))


def _shown(value: Any, show: Any) -> Any:
    if value is None or value == "":
        return None
    return value if show is None else show(value)


def _parts(state: State, fields: Sequence[Any]) -> dict[str, Any]:
    """Of the parts those that are loaded."""
    found: dict[str, Any] = {}
    parts = state.parts
    if "external_ids" in parts:
        found |= external_ids(state.external_ids)
    if "phones" in parts:
        found["phones"] = list(state.phones)
    if "emails" in parts:
        found["emails"] = list(state.emails)
    if "tags" in parts:
        found["tags"] = [_TAG(tag.id) for tag in sorted(state.tags.values(), key=lambda tag: (tag.name_key, tag.id))]
    if "friends" in parts:
        found["wechatFriends"] = sorted(map(_AGENT, state.friends))
    if "block" in parts:
        block = state.block
        found["block"] = block and {"reason": block.reason, "until": block.until and wire.show_moment(block.until)}
    if "merged" in parts:
        found["mergedFrom"] = [_CUSTOMER(one) for one in state.merged]
    if "values" in parts:
        found |= {f"custom.{one.key}": values.told(one, state.values.get(one.id)) for one in fields}
    return found


def external_ids(pairs: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """One value of a system as itself, several as a list."""
    by_system: dict[str, list[str]] = {}
    for system, value in sorted(pairs):
        by_system.setdefault(system, []).append(value)
    return {f"externalId.{system}": held[0] if len(held) == 1 else held for system, held in by_system.items()}


def remember(state: State, fields: Sequence[Any]) -> None:
    """Keeps what the customer is now, to be compared with what becomes of it."""
    state.was = Was(
        columns=dict(vars(state.row)),
        phones=tuple(state.phones),
        emails=tuple(state.emails),
        external_ids=tuple(state.external_ids),
        tags=frozenset(state.tags),
        friends=frozenset(state.friends),
        values=dict(state.values),
        block=None if state.block is None else dict(vars(state.block)),
        told=_parts(state, fields),
    )
