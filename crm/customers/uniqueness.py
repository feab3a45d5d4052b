"""Values that only one customer may have: external ids and values of unique custom fields."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from crm import references
from crm.customers.inputs import CustomerChange
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import DuplicateError, ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from db.queries.catalogue import custom_fields as fields
from db.queries.customers import customers
from db.tables.enums import EntityType

UniqueValue = tuple[LoadedCustomer, Hashable, Path, str]
"""The customer that claims the value, its key, its path in the input, and its text for messages."""


async def check_uniqueness(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> None:
    """Adds errors to customers whose values belong to another customer or to an earlier one of the same unit of work. A
    customer with errors claims nothing, so the next one may have the value."""
    external_claims, custom_claims = _external_id_claims(pairs), await _custom_value_claims(unit, pairs)
    holders = await _load_holders(unit, [key for _, key, _, _ in (*external_claims, *custom_claims)])
    claims: dict[bytes, list[UniqueValue]] = {}
    for claim in (*external_claims, *custom_claims):
        claims.setdefault(claim[0].id, []).append(claim)
    conflicts = []
    for claimant, claims_of_customer in ((state.id, claims.get(state.id, ())) for state, _ in pairs):
        lost_claims = [
            (claim, holders[claim[1]]) for claim in claims_of_customer if holders.get(claim[1], claimant) != claimant
        ]
        conflicts += lost_claims
        if not lost_claims:
            holders |= {key: claimant for _, key, _, _ in claims_of_customer}
    if conflicts:
        await _add_errors(unit, conflicts, {state.id: state.row for state, _ in pairs if state.is_new})


def _external_id_claims(pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> list[UniqueValue]:
    return [
        (state, pair, change.path_to("externalIds", index, "value"), f"{pair[0]}: {pair[1]}")
        for state, change in pairs
        if change.external_ids is not None and not state.errors
        for pair, index in _indexes(change).items()
    ]


def _indexes(change: CustomerChange) -> dict[tuple[str, str], int]:
    """The index of each external id in the input; for repeated ids, the first index."""
    pairs = [references.read_external_id(external_id, ()) for external_id in change.data["external_ids"] or ()]
    return {pair: index for index, pair in reversed(list(enumerate(pairs)))}


async def _custom_value_claims(
    unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]
) -> list[UniqueValue]:
    unique_fields = {field.id: field for field in await unit.custom_fields(EntityType.CUSTOMER) if field.unique}
    return [
        (state, (field_id, custom_values.unique_key(value)), path, str(value))
        for state, change in pairs
        if not state.errors
        for field_id, (value, path) in change.values.items()
        if field_id in unique_fields and value is not None
    ]


async def claim_released_values(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Adds CONFLICT errors to customers whose restored values now belong to another customer that keeps them."""
    unique = {field.id: field for field in await unit.custom_fields(EntityType.CUSTOMER) if field.unique}
    gained: dict[Any, tuple[LoadedCustomer, str]] = {}
    released: dict[tuple[bytes, Any], LoadedCustomer] = {}
    for state in states:
        values_before, values_now = _unique_values(state.original, unique), _unique_values(state, unique)
        gained |= {key: (state, text) for key, text in values_now.items() if key not in values_before}
        released |= {(state.id, key): state for key in values_before if key not in values_now}
    holders = await _load_holders(unit, list(gained))
    while conflicts := [key for key, holder in holders.items() if _keeps_value(holder, key, gained[key][0], released)]:
        # A customer with an error keeps its values, which another customer may have been about to get.
        for key in conflicts:
            state, text = gained[key]
            message = f"“{text}” now belongs to another customer, so “{state.row.name}” stays unchanged."
            state.add_error(InputError(ErrorCode.CONFLICT, message, ("id",)))


def _keeps_value(
    holder: bytes, key: Any, claimant: LoadedCustomer, released: Mapping[tuple[bytes, Any], LoadedCustomer]
) -> bool:
    """Whether the holder keeps the value. Customers that already have errors are not checked again."""
    releasing = released.get((holder, key))
    return not claimant.errors and holder != claimant.id and (releasing is None or bool(releasing.errors))


def _unique_values(values: Any, unique: Mapping[bytes, Any]) -> dict[Any, str]:
    """The unique values of the customer, with their texts for messages."""
    texts: dict[Any, str] = {pair: f"{pair[0]}: {pair[1]}" for pair in values.external_ids}
    for field_id, value in values.values.items():
        if field_id in unique:
            texts[field_id, custom_values.unique_key(value)] = str(value)
    return texts


async def _load_holders(unit: UnitOfWork, keys: Sequence[Any]) -> dict[Any, bytes]:
    """The holders of external ids (system, value) and of unique custom values (field id, key)."""
    external: Any = [key for key in keys if isinstance(key[0], str)]
    custom: Any = [key for key in keys if isinstance(key[0], bytes)]
    holders: dict[Any, bytes] = {}
    if external:
        holders.update(await customers.ids_by_external_id(unit.transaction, external))
    if custom:
        holders.update(await fields.unique_holders(unit.transaction, EntityType.CUSTOMER, custom))
    return holders


async def _add_errors(
    unit: UnitOfWork, conflicts: Sequence[tuple[UniqueValue, bytes]], created: Mapping[bytes, Any]
) -> None:
    """Adds the errors. The holder is named only if the viewer can see it. `created` are the customers created in this
    unit of work."""
    ids = list({holder for _, holder in conflicts})
    visible = {**created, **await customers.by_ids(unit.transaction, ids, unit.viewer.visibility)}
    for (state, _, path, text), holder in conflicts:
        if holder in visible:
            message = f"“{text}” already belongs to “{visible[holder].name}”."
            state.add_error(DuplicateError(message, path, existing=visible[holder]))
        else:
            state.add_error(InputError(ErrorCode.TAKEN, f"“{text}” already belongs to another customer.", path))
