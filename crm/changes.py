"""The one log of changes: what a transaction did, a line for each record, written before it commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db import tables
from db.engine import Work
from db.queries import workspaces
from db.tables.enums import ActorKind, ChangeAction


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, within which job, for which request."""

    kind: ActorKind
    id: bytes | None = None
    job_id: bytes | None = None
    request_id: str | None = None


SYSTEM = Author(ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done to one record. `entity` is its type in the schema; `fields` lists {field, before, after} in output
    form; `row` is its place in the job's target; `audience` keeps who could see a record that is no more."""

    action: ChangeAction
    entity: str
    node_id: bytes
    version: int
    fields: Sequence[Mapping[str, Any]]
    row: int | None = None
    audience: Any = None


def appeared(**fields: Any) -> list[dict[str, Any]]:
    """The fields of a record that was made: those that hold something, from nothing."""
    return [{"field": name, "before": None, "after": value} for name, value in fields.items() if value not in _EMPTY]


_EMPTY: tuple[Any, ...] = (None, "", [], {})


async def record(work: Work, entries: Sequence[Entry], *, by: Author, at: int) -> None:
    """Logs them, in this order, under the next numbers of the workspace. The last thing a transaction does, and done
    once: a record has one entry in it. Raises ValueError where one has two."""
    if not entries:
        return
    if len({entry.node_id for entry in entries}) < len(entries):
        raise ValueError("a record changes once in a transaction; join its entries first")
    if work.workspace_id is None:
        raise ValueError("the log is a workspace's")
    first, workspace_id = await workspaces.take_numbers(work, len(entries)), work.workspace_id
    await work.insert(*(_change(workspace_id, entry, first + place, by, at) for place, entry in enumerate(entries)))


def _change(workspace_id: int, entry: Entry, seq: int, by: Author, at: int) -> tables.Change:
    return tables.Change(
        workspace_id=workspace_id,
        seq=seq,
        at=at,
        action=entry.action,
        entity=entry.entity,
        node_id=entry.node_id,
        version=entry.version,
        fields=list(entry.fields),
        actor_kind=by.kind,
        actor_id=by.id,
        job_id=by.job_id,
        row=entry.row,
        request_id=by.request_id,
        audience=entry.audience,
    )
