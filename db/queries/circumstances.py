"""What filters and sorts need of the workspace before they can be read."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from db import tables, wire
from db.engine import Session
from db.filtering.calendar import Clock
from db.filtering.circumstances import Circumstances
from db.queries import customers, departments, workspaces
from db.reading import here, prepared
from db.sight import Sight
from db.tables.enums import EntityType

_FIELDS_IN_USE = prepared(
    select(tables.CustomField).where(here(tables.CustomField), col(tables.CustomField.active).is_(True))
)
_SEGMENTS = prepared(select(tables.Segment).where(here(tables.Segment)))

# What stands in a filter or a sort where the workspace has to be asked before it can be read.
_FIELDS = frozenset({"customFields", "customField"})
_SEGMENT = frozenset({"segments"})
_TREE = frozenset({"within"})
_CLOCK = frozenset({"last", "next", "age", "anniversaryWithin"})
# Where a field is named by its key.
_KEYS = frozenset({"key", "customField"})
_ANYWHERE = ZoneInfo("UTC")


async def of(
    session: Session, questions: Iterable[Any], *, now: int, agent_id: bytes | None, sight: Sight, clock: bool = False
) -> Circumstances:
    """What the questions, filters and sorts as plain data, need to be read: at most five statements. `clock`: they
    are reckoned in the workspace's days, whatever they are."""
    names, keys, ids = _spoken([*questions])
    segments = {row.id: row for row in await session.rows(_SEGMENTS)} if names & _SEGMENT else {}
    if segments:
        names, keys, ids = _spoken([*questions, *(segment.filter for segment in segments.values())])
    tree = await departments.every(session) if names & _TREE else []
    return Circumstances(
        Clock(now, await workspaces.zone(session) if clock or names & _CLOCK else _ANYWHERE),
        agent_id,
        sight,
        await _fields(session, keys) if names & _FIELDS else {},
        segments,
        {row.id: row.parent_id for row in tree},
        await customers.survivors(session, list(ids)) if ids else {},
    )


async def _fields(session: Session, keys: set[str]) -> Mapping[EntityType, Mapping[str, Any]]:
    """The active fields by their keys. One that is not known yet may have been made by another process just now."""
    rows = await session.settled(_FIELDS_IN_USE)
    if keys - {row.key for row in rows}:
        rows = await session.rows(_FIELDS_IN_USE)
    found: dict[EntityType, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(EntityType(row.entity), {})[row.key] = row
    return found


def _spoken(plain: Any) -> tuple[set[str], set[str], set[bytes]]:
    """Every name that stands in plain data, however deep, the keys of fields, and the ids of customers. Walked by hand:
    its depth is the client's."""
    names: set[str] = set()
    keys: set[str] = set()
    ids: set[bytes] = set()
    waiting = [plain]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            names.update(one)
            keys.update(one[name] for name in _KEYS & one.keys() if isinstance(one[name], str))
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str) and (identifier := wire.parse("Customer", one)):
            ids.add(identifier)
    return names, keys, ids
