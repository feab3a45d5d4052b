"""The one log of changes: what a transaction did, a line for each record, written before it commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from db import tables
from db.engine import Transaction
from db.queries import workspaces
from db.rows import Row
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
class ChangeEntry:
    """What was done to one record. `entity` is its type in the schema; `fields` lists {field, before, after} in output
    form; `row` is its place in the job's target; `audience` keeps who could see a customer who is no more;
    `customer_id` is whom a note, an interaction or an order belongs to."""

    action: ChangeAction
    entity: str
    node_id: bytes
    version: int
    fields: Sequence[Mapping[str, Any]]
    row: int | None = None
    audience: Any = None
    customer_id: bytes | None = None


def created_fields(**fields: Any) -> list[dict[str, Any]]:
    """The fields of a record that was made: those that hold something, from nothing."""
    return created_fields_of(fields)


def created_fields_of(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same for names that are no identifiers."""
    return [{"field": name, "before": None, "after": value} for name, value in fields.items() if value not in _EMPTY]


_EMPTY: tuple[Any, ...] = (None, "", [], {})


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields that are not what they were, in the order in which they are told."""
    names = [*before, *(name for name in after if name not in before)]
    return [
        {"field": name, "before": _told(before.get(name)), "after": _told(after.get(name))}
        for name in names
        if _told(before.get(name)) != _told(after.get(name))
    ]


def _told(value: Any) -> Any:
    """An empty list is told as the list it is; an empty text is nothing."""
    return None if value == "" else value


class PendingChanges:
    """What an act has done so far, one entry for each record however often it was touched."""

    def __init__(self) -> None:
        self._entries: dict[bytes, ChangeEntry] = {}

    def add(self, entry: ChangeEntry) -> None:
        """Joins it to the record's earlier one."""
        earlier = self._entries.pop(entry.node_id, None)
        self._entries[entry.node_id] = entry if earlier is None else _joined(earlier, entry)

    def entries(self) -> list[ChangeEntry]:
        return list(self._entries.values())

    def clear(self) -> None:
        """Nothing was done after all."""
        self._entries.clear()


def _joined(first: "ChangeEntry", second: "ChangeEntry") -> "ChangeEntry":
    if second.action is ChangeAction.DELETED:
        return second
    fields = {one["field"]: dict(one) for one in first.fields}
    for one in second.fields:
        before = fields[one["field"]]["before"] if one["field"] in fields else one["before"]
        fields[one["field"]] = {"field": one["field"], "before": before, "after": one["after"]}
    action = first.action if first.action is ChangeAction.CREATED else second.action
    kept = [one for one in fields.values() if one["before"] != one["after"]]
    return replace(second, action=action, fields=kept, row=second.row if first.row is None else first.row)


async def write_changes(transaction: Transaction, entries: Sequence[ChangeEntry], *, by: Author, at: int) -> None:
    """Logs them, in this order, under the next numbers of the workspace. The last thing a transaction does, and done
    once: a record has one entry in it. Raises ValueError where one has two."""
    if not entries:
        return
    if len({entry.node_id for entry in entries}) < len(entries):
        raise ValueError("a record changes once in a transaction; join its entries first")
    if transaction.workspace_id is None:
        raise ValueError("the log is a workspace's")
    first, workspace_id = await workspaces.take_change_numbers(transaction, len(entries)), transaction.workspace_id
    await transaction.insert(
        *(_change(workspace_id, entry, first + place, by, at) for place, entry in enumerate(entries))
    )


def _change(workspace_id: int, entry: ChangeEntry, seq: int, by: Author, at: int) -> Row:
    columns = {
        "workspace_id": workspace_id,
        "seq": seq,
        "at": at,
        "action": int(entry.action),
        "entity": entry.entity,
        "node_id": entry.node_id,
        "customer_id": entry.customer_id,
        "version": entry.version,
        "fields": list(entry.fields),
        "actor_kind": int(by.kind),
        "actor_id": by.id,
        "job_id": by.job_id,
        "row": entry.row,
        "request_id": by.request_id,
        "audience": entry.audience,
    }
    return Row(tables.Change, columns)
