"""What filters and sorts need of the workspace before they can be read."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.filtering.calendar import Clock
from db.filtering.circumstances import Circumstances
from db.queries import departments, workspaces
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


async def of(
    session: Session, questions: Iterable[Any], *, now: int, agent_id: bytes | None, sight: Sight, clock: bool = False
) -> Circumstances:
    """What the questions, filters and sorts as plain data, need to be read: at most four statements. `clock`: they
    are reckoned in the workspace's days, whatever they are."""
    names = set().union(*map(_names, questions)) if questions else set()
    segments = {row.id: row for row in await session.rows(_SEGMENTS)} if names & _SEGMENT else {}
    for segment in segments.values():
        names |= _names(segment.filter)
    settings = await workspaces.settings(session) if clock or names & _CLOCK else None
    tree = await departments.every(session) if names & _TREE else []
    return Circumstances(
        Clock(now, ZoneInfo(settings.timezone if settings else "UTC")),
        agent_id,
        sight,
        await _fields(session) if names & _FIELDS else {},
        segments,
        {row.id: row.parent_id for row in tree},
    )


async def _fields(session: Session) -> Mapping[EntityType, Mapping[str, Any]]:
    found: dict[EntityType, dict[str, Any]] = {}
    for row in await session.rows(_FIELDS_IN_USE):
        found.setdefault(EntityType(row.entity), {})[row.key] = row
    return found


def _names(plain: Any) -> set[str]:
    """Every name that stands in plain data, however deep. Walked by hand: its depth is the client's."""
    found: set[str] = set()
    waiting = [plain]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found.update(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found
