"""Values that only one customer may hold: external ids, and custom fields that are unique."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from crm import references
from crm.customers.inputs import CustomerChange
from crm.customers.loaded_customer import LoadedCustomer, load_custom_fields
from crm.errors import DuplicateError, ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from db.queries.catalogue import custom_fields as fields
from db.queries.customers import customers
from db.tables.enums import EntityType

UniqueValue = tuple[LoadedCustomer, Hashable, Path, str]
"""Who wants which value, where it was given, and how a person reads it."""


async def check_uniqueness(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> None:
    """Refuses those whose values another customer holds, or one before them in the same act. Who is refused holds
    nothing, so that the next one may have it."""
    external, custom = _external_ids(pairs), await _values(unit, pairs)
    held = await _holders(unit, [key for _, key, _, _ in (*external, *custom)])
    claims: dict[bytes, list[UniqueValue]] = {}
    for claim in (*external, *custom):
        claims.setdefault(claim[0].id, []).append(claim)
    taken = []
    for claimant, wanted in ((state.id, claims.get(state.id, ())) for state, _ in pairs):
        lost = [(claim, held[claim[1]]) for claim in wanted if held.get(claim[1], claimant) != claimant]
        taken += lost
        if not lost:
            held |= {key: claimant for _, key, _, _ in wanted}
    if taken:
        await _refuse(unit, taken, {state.id: state.row for state, _ in pairs if state.is_new})


def _external_ids(pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> list[UniqueValue]:
    return [
        (state, pair, change.path_to("externalIds", place, "value"), f"{pair[0]}: {pair[1]}")
        for state, change in pairs
        if change.external_ids is not None and not state.errors
        for pair, place in _places(change).items()
    ]


def _places(change: CustomerChange) -> dict[tuple[str, str], int]:
    """Where each stands in the input; of one that was given twice, the first."""
    given = [references.read_external_id(one, ()) for one in change.data["external_ids"] or ()]
    return {pair: place for place, pair in reversed(list(enumerate(given)))}


async def _values(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> list[UniqueValue]:
    known = {one.id: one for one in await load_custom_fields(unit) if one.unique}
    return [
        (state, (field_id, custom_values.unique_key(value)), path, str(value))
        for state, change in pairs
        if not state.errors
        for field_id, (value, path) in change.values.items()
        if field_id in known and value is not None
    ]


async def claim_released_values(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Refuses, with CONFLICT, those who get back what another customer holds by now and keeps."""
    unique = {one.id: one for one in await load_custom_fields(unit) if one.unique}
    coming: dict[Any, tuple[LoadedCustomer, str]] = {}
    leaving: dict[tuple[bytes, Any], LoadedCustomer] = {}
    for state in states:
        before, now = _held(state.original, unique), _held(state, unique)
        coming |= {key: (state, shown) for key, shown in now.items() if key not in before}
        leaving |= {(state.id, key): state for key in before if key not in now}
    holders = await _holders(unit, list(coming))
    while taken := [key for key, holder in holders.items() if _keeps(holder, key, coming[key][0], leaving)]:
        # Whoever is refused keeps what he has, which somebody else may have been about to get.
        for key in taken:
            state, shown = coming[key]
            message = f"“{shown}” belongs to another customer now, so “{state.row.name}” stays as it is."
            state.add_error(InputError(ErrorCode.CONFLICT, message, ("id",)))


def _keeps(
    holder: bytes, key: Any, wanting: LoadedCustomer, leaving: Mapping[tuple[bytes, Any], LoadedCustomer]
) -> bool:
    """Whether somebody has it and goes on having it; of whoever is refused already it is not asked again."""
    gives = leaving.get((holder, key))
    return not wanting.errors and holder != wanting.id and (gives is None or bool(gives.errors))


def _held(held: Any, unique: Mapping[bytes, Any]) -> dict[Any, str]:
    """What nobody else may hold, and how a person reads it."""
    found: dict[Any, str] = {pair: f"{pair[0]}: {pair[1]}" for pair in held.external_ids}
    for field_id, value in held.values.items():
        if field_id in unique:
            found[field_id, custom_values.unique_key(value)] = str(value)
    return found


async def _holders(unit: UnitOfWork, keys: Sequence[Any]) -> dict[Any, bytes]:
    """Of pairs of a system and an id, and of pairs of a field and a value."""
    external: Any = [key for key in keys if isinstance(key[0], str)]
    custom: Any = [key for key in keys if isinstance(key[0], bytes)]
    found: dict[Any, bytes] = {}
    if external:
        found.update(await customers.ids_by_external_id(unit.transaction, external))
    if custom:
        found.update(await fields.unique_holders(unit.transaction, EntityType.CUSTOMER, custom))
    return found


async def _refuse(unit: UnitOfWork, taken: Sequence[tuple[UniqueValue, bytes]], made: Mapping[bytes, Any]) -> None:
    """The holder is shown to who may see him; `made` are those whom this act makes."""
    ids = list({holder for _, holder in taken})
    seen = {**made, **await customers.by_ids(unit.transaction, ids, unit.viewer.visibility)}
    for (state, _, path, shown), holder in taken:
        if holder in seen:
            message = f"“{shown}” belongs to “{seen[holder].name}” already."
            state.add_error(DuplicateError(message, path, existing=seen[holder]))
        else:
            state.add_error(InputError(ErrorCode.TAKEN, f"“{shown}” belongs to another customer already.", path))
