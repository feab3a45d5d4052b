"""Records that are one row: made, changed and deleted with their line in the log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm import change_log
from crm.change_log import Entry
from crm.unit_of_work import Act
from db import batch_writes
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
    fields = change_log.appeared_of(told(row))
    return _entry(ChangeAction.CREATED, entity, row, fields)


async def change(
    act: Act, entity: str, row: Row, before: Mapping[str, Any], was: Mapping[str, Any], told: Told
) -> bool:
    """Keeps what is different in `row` from the columns `before`; `was` is what the log would have told then. False
    where the log has nothing to tell: then nothing is written."""
    different = change_log.differing(was, told(row))
    if not different:
        return False
    if "version" in before:
        row.version, row.updated_at = before["version"] + 1, act.now
    columns = {name: value for name, value in vars(row).items() if before[name] != value}
    if columns:
        await batch_writes.change(act.work, row.table, [(row.id, columns)])
    act.log.add(_entry(ChangeAction.UPDATED, entity, row, different))
    return True


async def remove(act: Act, entity: str, row: Any, *, action: ChangeAction = ChangeAction.DELETED) -> None:
    """Deletes the row; the log keeps that it was."""
    await batch_writes.clear(act.work, row.table, "id", [row.id])
    act.log.add(_entry(action, entity, row, []))


def _entry(action: ChangeAction, entity: str, row: Any, fields: Sequence[Mapping[str, Any]]) -> Entry:
    customer_id = getattr(row, "customer_id", None)
    return Entry(action, entity, row.id, getattr(row, "version", 1), fields, customer_id=customer_id)
