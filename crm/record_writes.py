"""Records that are one row: made, changed and deleted with their line in the log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm import change_log
from crm.change_log import ChangeEntry
from crm.unit_of_work import UnitOfWork
from db import batch_writes
from db.rows import Row
from db.tables.enums import ChangeAction

LogSnapshot = Callable[[Any], Mapping[str, Any]]
"""What the log says of a row: field by field, in output form."""


async def create_record(unit: UnitOfWork, entity: str, row: Row, told: LogSnapshot) -> Row:
    """Adds the row."""
    await unit.transaction.insert(row)
    unit.log.add(created_entry(entity, row, told))
    return row


def created_entry(entity: str, row: Any, told: LogSnapshot) -> ChangeEntry:
    """How the log tells that the row is new."""
    fields = change_log.created_fields_of(told(row))
    return _entry(ChangeAction.CREATED, entity, row, fields)


async def update_record(
    unit: UnitOfWork, entity: str, row: Row, before: Mapping[str, Any], was: Mapping[str, Any], told: LogSnapshot
) -> bool:
    """Keeps what is different in `row` from the columns `before`; `was` is what the log would have told then. False
    where the log has nothing to tell: then nothing is written."""
    different = change_log.changed_fields(was, told(row))
    if not different:
        return False
    if "version" in before:
        row.version, row.updated_at = before["version"] + 1, unit.now
    columns = {name: value for name, value in vars(row).items() if before[name] != value}
    if columns:
        await batch_writes.update_rows(unit.transaction, row.table, [(row.id, columns)])
    unit.log.add(_entry(ChangeAction.UPDATED, entity, row, different))
    return True


async def delete_record(
    unit: UnitOfWork, entity: str, row: Any, *, action: ChangeAction = ChangeAction.DELETED
) -> None:
    """Deletes the row; the log keeps that it was."""
    await batch_writes.delete_where_in(unit.transaction, row.table, "id", [row.id])
    unit.log.add(_entry(action, entity, row, []))


def _entry(action: ChangeAction, entity: str, row: Any, fields: Sequence[Mapping[str, Any]]) -> ChangeEntry:
    customer_id = getattr(row, "customer_id", None)
    return ChangeEntry(action, entity, row.id, getattr(row, "version", 1), fields, customer_id=customer_id)
