"""Values that only one customer may hold: external ids, and custom fields that are unique."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from crm import values
from crm.acting import Act
from crm.customers.inputs import Change
from crm.customers.states import State, custom_fields
from crm.errors import DuplicateRefused, ErrorCode, Path, Refused
from db.queries import customers, fields
from db.tables.enums import EntityType

Claim = tuple[State, Hashable, Path, str]
"""Who wants which value, where it was given, and how a person reads it."""


async def check(act: Act, pairs: Sequence[tuple[State, Change]]) -> None:
    """Refuses those whose values another customer holds, or one before them in the same act."""
    external, custom = _external_ids(pairs), await _values(act, pairs)
    held: dict[Any, bytes] = {}
    if external:
        wanted: Any = [key for _, key, _, _ in external]
        held.update(await customers.holders(act.work, wanted))
    if custom:
        wanted = [key for _, key, _, _ in custom]
        held.update(await fields.unique_holders(act.work, EntityType.CUSTOMER, wanted))
    taken = []
    for claim in (*external, *custom):
        state, key, _, _ = claim
        holder = held.setdefault(key, state.id)
        if holder != state.id:
            taken.append((claim, holder))
    if taken:
        await _refuse(act, taken)


def _external_ids(pairs: Sequence[tuple[State, Change]]) -> list[Claim]:
    return [
        (state, pair, change.at("externalIds", place, "value"), f"{pair[0]}: {pair[1]}")
        for state, change in pairs
        if change.external_ids is not None and not state.refused
        for place, pair in enumerate(change.external_ids)
    ]


async def _values(act: Act, pairs: Sequence[tuple[State, Change]]) -> list[Claim]:
    known = {one.id: one for one in await custom_fields(act) if one.unique}
    return [
        (state, (field_id, values.unique_key(value)), path, str(value))
        for state, change in pairs
        if not state.refused
        for field_id, (value, path) in change.values.items()
        if field_id in known and value is not None
    ]


async def _refuse(act: Act, taken: Sequence[tuple[Claim, bytes]]) -> None:
    """The holder is shown to who may see him."""
    ids = list({holder for _, holder in taken})
    seen: Mapping[bytes, Any] = await customers.by_ids(act.work, ids, act.viewer.sight)
    for (state, _, path, shown), holder in taken:
        if holder in seen:
            message = f"“{shown}” belongs to “{seen[holder].name}” already."
            state.refuse(DuplicateRefused(message, path, existing=seen[holder]))
        else:
            state.refuse(Refused(ErrorCode.TAKEN, f"“{shown}” belongs to another customer already.", path))
