"""A customer as the log tells it: the fields by the names that columns and mappings use, in output form."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from crm import change_log
from crm.customers.loaded_customer import LoadedCustomer, OriginalValues
from crm.values import custom_values
from db.rows import Row
from db.tables.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, Verification
from db.values import wire_format

_AGENT, _COMPANY, _DEPARTMENT, _TAG = (
    wire_format.id_encoder(kind) for kind in ("Agent", "Company", "Department", "Tag")
)
_CUSTOMER = wire_format.id_encoder("Customer")

# Field of the log, column, how the column is shown.
LOGGED_COLUMNS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("name", "name", None),
    ("nickname", "nickname", None),
    ("realName", "real_name", None),
    ("avatarUrl", "avatar_url", None),
    ("phone", "phone", None),
    ("email", "email", None),
    ("gender", "gender", lambda code: Gender(code).name),
    ("birthDate", "birth_date", None),
    ("value", "value", wire_format.format_decimal),
    ("source", "source", None),
    ("channel", "channel", None),
    ("relationshipStatus", "relationship_status", lambda code: RelationshipStatus(code).name),
    ("subscriptionStatus", "subscription_status", lambda code: SubscriptionStatus(code).name),
    ("stage", "stage", lambda code: CustomerStage(code).name),
    ("verification", "verification", lambda code: Verification(code).name),
    ("followUpStage", "follow_up_stage", None),
    ("resellerRelationship", "reseller_relationship", None),
    ("archivedAt", "archived_at", wire_format.format_moment),
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


_SHOWN: Final[Mapping[str, tuple[str, Any]]] = {column: (name, show) for name, column, show in LOGGED_COLUMNS}
_PLACE: Final[Mapping[str, int]] = {column: place for place, (_, column, _) in enumerate(LOGGED_COLUMNS)}


def log_snapshot(state: LoadedCustomer, fields: Sequence[Any]) -> dict[str, Any]:
    """What the log says of the customer now: columns, and the parts that are loaded. `fields` are the custom ones."""
    row = state.row
    found: dict[str, Any] = {}
    for name, column, show in LOGGED_COLUMNS:
        value = getattr(row, column)
        found[name] = value if value is None or show is None else show(value)
    return found | _parts(state, state.parts, fields)


def changed_fields(state: LoadedCustomer, fields: Sequence[Any]) -> list[dict[str, Any]]:
    """What the log says of a customer who is not what it was. Columns are compared as they are stored, for few of them
    differ; then they are told."""
    was, row = state.original, state.row
    assert was is not None
    found = []
    for column in sorted(state.changed_columns() & _SHOWN.keys(), key=_PLACE.__getitem__):
        name, show = _SHOWN[column]
        before, now = _shown(was.columns[column], show), _shown(getattr(row, column), show)
        if before != now:
            found.append({"field": name, "before": before, "after": now})
    touched = [part for part, kept in _KEPT.items() if part in state.parts and kept(state) != kept(was)]
    if touched:
        found += change_log.changed_fields(_parts(was, touched, fields), _parts(state, touched, fields))
    return found


def _shown(value: Any, show: Any) -> Any:
    if value is None or value == "":
        return None
    return value if show is None else show(value)


def _parts(held: LoadedCustomer | OriginalValues, parts: Collection[str], fields: Sequence[Any]) -> dict[str, Any]:
    """What the log says of these parts."""
    found: dict[str, Any] = {}
    if "external_ids" in parts:
        found |= external_id_fields(held.external_ids)
    if "phones" in parts:
        found["phones"] = list(held.phones)
    if "emails" in parts:
        found["emails"] = list(held.emails)
    if "tags" in parts:
        found["tags"] = [_TAG(tag.id) for tag in sorted(held.tags.values(), key=lambda tag: (tag.name_key, tag.id))]
    if "friends" in parts:
        found["wechatFriends"] = sorted(map(_AGENT, held.friends))
    if "block" in parts:
        block = _block(held)
        found["block"] = block and {
            "reason": block["reason"],
            "until": _shown(block["until"], wire_format.format_moment),
        }
    if "merged" in parts:
        found["mergedFrom"] = [_CUSTOMER(one) for one in held.merged]
    if "values" in parts:
        found |= {f"custom.{one.key}": custom_values.value_for_log(one, held.values.get(one.id)) for one in fields}
    return found


def _block(held: LoadedCustomer | OriginalValues) -> Mapping[str, Any] | None:
    return vars(held.block) if isinstance(held.block, Row) else held.block


_KEPT: Final[Mapping[str, Callable[[LoadedCustomer | OriginalValues], Any]]] = {
    "external_ids": lambda held: sorted(held.external_ids),
    "phones": lambda held: tuple(held.phones),
    "emails": lambda held: tuple(held.emails),
    "tags": lambda held: held.tags.keys(),
    "friends": lambda held: frozenset(held.friends),
    "block": _block,
    "merged": lambda held: tuple(held.merged),
    "values": lambda held: held.values,
}
"""What tells whether a part is as it was; only then it is told, before and after."""


def external_id_fields(pairs: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """One value of a system as itself, several as a list."""
    by_system: dict[str, list[str]] = {}
    for system, value in sorted(pairs):
        by_system.setdefault(system, []).append(value)
    return {f"externalId.{system}": held[0] if len(held) == 1 else held for system, held in by_system.items()}


def store_original_values(state: LoadedCustomer) -> None:
    """Keeps what the customer is now, to be compared with what becomes of it."""
    state.original = OriginalValues(
        columns=dict(vars(state.row)),
        phones=tuple(state.phones),
        emails=tuple(state.emails),
        external_ids=tuple(state.external_ids),
        tags=dict(state.tags),
        friends=frozenset(state.friends),
        values=dict(state.values),
        block=None if state.block is None else dict(vars(state.block)),
        merged=tuple(state.merged),
    )
