"""Records that are one row: made, changed and deleted with their line in the log."""

from collections.abc import Callable, Mapping
from typing import Any

from crm import changes
from crm.acting import Act
from crm.changes import Entry
from db import writing
from db.rows import Row
from db.tables.enums import ChangeAction

Told = Callable[[Any], Mapping[str, Any]]
"""What the log says of a row: field by field, in output form."""


async def make(act: Act, entity: str, row: Row, told: Told) -> Row:
    """Adds the row."""
    await act.work.insert(row)
    act.log.add(made(entity, row, told))
    return row


def made(entity: str, row: Any, told: Told) -> Entry:
    """How the log tells that the row is new."""
    fields = changes.appeared_of(told(row))
    return Entry(ChangeAction.CREATED, entity, row.id, getattr(row, "version", 1), fields)


async def change(
    act: Act, entity: str, row: Row, before: Mapping[str, Any], was: Mapping[str, Any], told: Told
) -> bool:
    """Keeps what is different in `row` from the columns `before`; `was` is what the log would have told then. False
    where the log has nothing to tell: then nothing is written."""
    different = changes.differing(was, told(row))
    if not different:
        return False
    if "version" in before:
        row.version, row.updated_at = before["version"] + 1, act.now
    columns = {name: value for name, value in vars(row).items() if before[name] != value}
    if columns:
        await writing.change(act.work, row.table, [(row.id, columns)])
    act.log.add(Entry(ChangeAction.UPDATED, entity, row.id, getattr(row, "version", 1), different))
    return True


async def remove(
    act: Act, entity: str, row: Any, *, action: ChangeAction = ChangeAction.DELETED, of: bytes | None = None
) -> None:
    """Deletes the row; the log keeps that it was, and the customer that it was `of`."""
    await writing.clear(act.work, row.table, "id", [row.id])
    audience = None if of is None else {"customer": of.hex()}
    act.log.add(Entry(action, entity, row.id, getattr(row, "version", 1), [], audience=audience))
