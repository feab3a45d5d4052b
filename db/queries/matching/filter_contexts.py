"""Loads the context that filters and sorts need before they can be parsed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.filtering.filter_context import FilterContext
from db.filtering.relative_dates import Clock
from db.queries import workspaces
from db.queries.catalogue import departments
from db.queries.customers import customers
from db.statements import in_workspace, prepare
from db.tables.enums import EntityType
from db.values import wire_format
from db.visibility import Visibility

_FIELDS_IN_USE = prepare(
    select(tables.CustomField).where(in_workspace(tables.CustomField), col(tables.CustomField.active).is_(True))
)
_SEGMENTS = prepare(select(tables.Segment).where(in_workspace(tables.Segment)))

# Names in a filter or sort that require a query for the context.
_FIELDS = frozenset({"customFields", "customField"})
_SEGMENT = frozenset({"segments"})
_TREE = frozenset({"within"})
_CLOCK = frozenset({"last", "next", "age", "anniversaryWithin"})
# Names under which a field is given by its key.
_KEYS = frozenset({"key", "customField"})
_ANYWHERE = ZoneInfo("UTC")


async def load_filter_context(
    session: Session,
    questions: Iterable[Any],
    *,
    now: int,
    agent_id: bytes | None,
    visibility: Visibility,
    clock: bool = False,
) -> FilterContext:
    """Loads the context for filters and sorts given as JSON, in at most five statements. `clock` requests the
    workspace's time zone in any case."""
    names, keys, ids = _spoken([*questions])
    segments = {row.id: row for row in await session.fetch_all(_SEGMENTS)} if names & _SEGMENT else {}
    if segments:
        names, keys, ids = _spoken([*questions, *(segment.filter for segment in segments.values())])
    tree = await departments.all_departments(session) if names & _TREE else []
    rows = await _fields(session, keys) if names & _FIELDS else None
    return FilterContext(
        Clock(now, await workspaces.time_zone(session) if clock or names & _CLOCK else _ANYWHERE),
        agent_id,
        visibility,
        _by_keys(rows) if rows else {},
        segments,
        {row.id: row.parent_id for row in tree},
        await customers.survivor_ids(session, list(ids)) if ids else {},
        field_rows=rows,
        is_lasting=not names & (_SEGMENT | _TREE) and not ids,
    )


async def is_current(session: Session, rows: Sequence[Any] | None) -> bool:
    """Whether the fields are still those that a cached parse used; None means it used none."""
    return rows is None or await session.fetch_cached(_FIELDS_IN_USE) is rows


async def _fields(session: Session, keys: set[str]) -> Sequence[Any]:
    """The active fields. An unknown field may have just been created by another process, so it is looked up again."""
    rows = await session.fetch_cached(_FIELDS_IN_USE)
    if keys - {row.key for row in rows}:
        rows = await session.fetch_all(_FIELDS_IN_USE)
    return rows


_ENTITIES = {one.value: one for one in EntityType}


def _by_keys(rows: Sequence[Any]) -> Mapping[EntityType, Mapping[str, Any]]:
    found: dict[EntityType, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(_ENTITIES[row.entity], {})[row.key] = row
    return found


def _spoken(plain: Any) -> tuple[set[str], set[str], set[bytes]]:
    """All names in the JSON at any depth, the keys of fields, and the ids of customers. Iterative, because the client
    controls the depth."""
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
        elif isinstance(one, str) and (identifier := wire_format.decode_id("Customer", one)):
            ids.add(identifier)
    return names, keys, ids
