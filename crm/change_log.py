"""The change log: the changes of a transaction, one entry for each record, written before the commit."""

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
    """The author of a change, with the job and the request."""

    kind: ActorKind
    id: bytes | None = None
    job_id: bytes | None = None
    request_id: str | None = None


SYSTEM = Author(ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """The change of one record.

    `entity` is its type in the schema. `fields` lists {field, before, after} in output form. `row` is its row number in
    a job. `audience` records who could see a deleted customer. `customer_id` is the customer of a note, an interaction
    or an order."""

    action: ChangeAction
    entity: str
    node_id: bytes
    version: int
    fields: Sequence[Mapping[str, Any]]
    row: int | None = None
    audience: Any = None
    customer_id: bytes | None = None


def created_fields(**fields: Any) -> list[dict[str, Any]]:
    """The log fields of a new record: its non-empty values, each before it null."""
    return created_fields_of(fields)


def created_fields_of(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same for field names that are not identifiers."""
    return [
        {"field": name, "before": None, "after": value} for name, value in fields.items() if value not in _EMPTY_VALUES
    ]


_EMPTY_VALUES: tuple[Any, ...] = (None, "", [], {})


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The log fields that differ, in the order of the snapshot."""
    names = [*before, *(name for name in after if name not in before)]
    return [
        {"field": name, "before": _logged_value(before.get(name)), "after": _logged_value(after.get(name))}
        for name in names
        if _logged_value(before.get(name)) != _logged_value(after.get(name))
    ]


def _logged_value(value: Any) -> Any:
    """The value as logged: an empty text counts as null, an empty list does not."""
    return None if value == "" else value


class PendingChanges:
    """The changes of a unit of work so far. Each record has one entry, however often it was changed."""

    def __init__(self) -> None:
        self._entries: dict[bytes, ChangeEntry] = {}

    def add(self, entry: ChangeEntry) -> None:
        """Adds the entry and merges it with an earlier one of the same record."""
        earlier = self._entries.pop(entry.node_id, None)
        self._entries[entry.node_id] = entry if earlier is None else _merge_entries(earlier, entry)

    def entries(self) -> list[ChangeEntry]:
        return list(self._entries.values())

    def clear(self) -> None:
        """Discards all entries."""
        self._entries.clear()


def _merge_entries(first: "ChangeEntry", second: "ChangeEntry") -> "ChangeEntry":
    if second.action is ChangeAction.DELETED:
        return second
    fields = {field["field"]: dict(field) for field in first.fields}
    for field in second.fields:
        before = fields[field["field"]]["before"] if field["field"] in fields else field["before"]
        fields[field["field"]] = {"field": field["field"], "before": before, "after": field["after"]}
    action = first.action if first.action is ChangeAction.CREATED else second.action
    changed = [field for field in fields.values() if field["before"] != field["after"]]
    return replace(second, action=action, fields=changed, row=second.row if first.row is None else first.row)


async def write_changes(transaction: Transaction, entries: Sequence[ChangeEntry], *, by: Author, at: int) -> None:
    """Writes the entries in this order under the next numbers of the workspace.

    It is the last step of a transaction and runs once. Raises ValueError if a record has two entries."""
    if not entries:
        return
    if len({entry.node_id for entry in entries}) < len(entries):
        raise ValueError("a record has one log entry per transaction; merge its entries first")
    if transaction.workspace_id is None:
        raise ValueError("the change log belongs to a workspace")
    first, workspace_id = await workspaces.take_change_numbers(transaction, len(entries)), transaction.workspace_id
    await transaction.insert(
        *(_change_row(workspace_id, entry, first + index, by, at) for index, entry in enumerate(entries))
    )


def _change_row(workspace_id: int, entry: ChangeEntry, seq: int, by: Author, at: int) -> Row:
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
