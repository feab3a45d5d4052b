"""The customer's fields as the change log records them: by API name, in output form."""

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

# The field name in the log, the column, and the conversion of its value.
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


_LOG_FIELDS: Final[Mapping[str, tuple[str, Any]]] = {column: (name, show) for name, column, show in LOGGED_COLUMNS}
_LOG_ORDER: Final[Mapping[str, int]] = {column: place for place, (_, column, _) in enumerate(LOGGED_COLUMNS)}


def log_snapshot(state: LoadedCustomer, fields: Sequence[Any]) -> dict[str, Any]:
    """The log snapshot of the customer: its columns and the loaded parts. `fields` are the custom fields."""
    row = state.row
    snapshot: dict[str, Any] = {}
    for name, column, convert in LOGGED_COLUMNS:
        value = getattr(row, column)
        snapshot[name] = value if value is None or convert is None else convert(value)
    return snapshot | _parts_snapshot(state, state.parts, fields)


def changed_fields(state: LoadedCustomer, fields: Sequence[Any]) -> list[dict[str, Any]]:
    """The log fields of a changed customer. Stored columns are compared first, because few of them differ; only those
    are converted."""
    original, row = state.original, state.row
    assert original is not None
    entries = []
    for column in sorted(state.changed_columns() & _LOG_FIELDS.keys(), key=_LOG_ORDER.__getitem__):
        name, convert = _LOG_FIELDS[column]
        before, after = _converted(original.columns[column], convert), _converted(getattr(row, column), convert)
        if before != after:
            entries.append({"field": name, "before": before, "after": after})
    changed_parts = [
        part
        for part, comparable in _COMPARABLE_PARTS.items()
        if part in state.parts and comparable(state) != comparable(original)
    ]
    if changed_parts:
        entries += change_log.changed_fields(
            _parts_snapshot(original, changed_parts, fields), _parts_snapshot(state, changed_parts, fields)
        )
    return entries


def _converted(value: Any, convert: Any) -> Any:
    if value is None or value == "":
        return None
    return value if convert is None else convert(value)


def _parts_snapshot(
    values: LoadedCustomer | OriginalValues, parts: Collection[str], fields: Sequence[Any]
) -> dict[str, Any]:
    """The log snapshot of these parts."""
    snapshot: dict[str, Any] = {}
    if "external_ids" in parts:
        snapshot |= external_id_fields(values.external_ids)
    if "phones" in parts:
        snapshot["phones"] = list(values.phones)
    if "emails" in parts:
        snapshot["emails"] = list(values.emails)
    if "tags" in parts:
        snapshot["tags"] = [
            _TAG(tag.id) for tag in sorted(values.tags.values(), key=lambda tag: (tag.name_key, tag.id))
        ]
    if "friends" in parts:
        snapshot["wechatFriends"] = sorted(map(_AGENT, values.friends))
    if "block" in parts:
        block = _block_columns(values)
        snapshot["block"] = block and {
            "reason": block["reason"],
            "until": _converted(block["until"], wire_format.format_moment),
        }
    if "merged" in parts:
        snapshot["mergedFrom"] = [_CUSTOMER(item) for item in values.merged]
    if "values" in parts:
        snapshot |= {
            f"custom.{item.key}": custom_values.value_for_log(item, values.values.get(item.id)) for item in fields
        }
    return snapshot


def _block_columns(values: LoadedCustomer | OriginalValues) -> Mapping[str, Any] | None:
    return vars(values.block) if isinstance(values.block, Row) else values.block


_COMPARABLE_PARTS: Final[Mapping[str, Callable[[LoadedCustomer | OriginalValues], Any]]] = {
    "external_ids": lambda held: sorted(held.external_ids),
    "phones": lambda held: tuple(held.phones),
    "emails": lambda held: tuple(held.emails),
    "tags": lambda held: held.tags.keys(),
    "friends": lambda held: frozenset(held.friends),
    "block": _block_columns,
    "merged": lambda held: tuple(held.merged),
    "values": lambda held: held.values,
}
"""For each part a value to compare. Only parts that differ are converted for the log."""


def external_id_fields(pairs: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """The log fields of external ids: one id of a system as itself, several as a list."""
    by_system: dict[str, list[str]] = {}
    for system, value in sorted(pairs):
        by_system.setdefault(system, []).append(value)
    return {f"externalId.{system}": values[0] if len(values) == 1 else values for system, values in by_system.items()}


def store_original_values(state: LoadedCustomer) -> None:
    """Stores the current values of the customer, to which later changes are compared."""
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
