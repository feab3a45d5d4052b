"""Creates, updates and deletes records of one row together with their log entries."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm import change_log
from crm.change_log import ChangeEntry
from crm.unit_of_work import UnitOfWork
from db import batch_writes
from db.rows import Row
from db.tables.enums import ChangeAction

LogSnapshot = Callable[[Any], Mapping[str, Any]]
"""Returns the log snapshot of a row: its fields in output form."""


async def create_record(unit: UnitOfWork, entity: str, row: Row, log_snapshot: LogSnapshot) -> Row:
    """Inserts the row and logs it."""
    await unit.transaction.insert(row)
    unit.log.add(created_entry(entity, row, log_snapshot))
    return row


def created_entry(entity: str, row: Any, log_snapshot: LogSnapshot) -> ChangeEntry:
    """The log entry of a new row."""
    fields = change_log.created_fields_of(log_snapshot(row))
    return _entry(ChangeAction.CREATED, entity, row, fields)


async def update_record(
    unit: UnitOfWork,
    entity: str,
    row: Row,
    before: Mapping[str, Any],
    snapshot_before: Mapping[str, Any],
    log_snapshot: LogSnapshot,
) -> bool:
    """Writes the columns of `row` that differ from `before`, and logs the change. `snapshot_before` is the earlier log
    snapshot. Returns False, without writing, if the snapshots are equal."""
    changed = change_log.changed_fields(snapshot_before, log_snapshot(row))
    if not changed:
        return False
    if "version" in before:
        row.version, row.updated_at = before["version"] + 1, unit.now
    columns = {name: value for name, value in vars(row).items() if before[name] != value}
    if columns:
        await batch_writes.update_rows(unit.transaction, row.table, [(row.id, columns)])
    unit.log.add(_entry(ChangeAction.UPDATED, entity, row, changed))
    return True


async def delete_record(
    unit: UnitOfWork, entity: str, row: Any, *, action: ChangeAction = ChangeAction.DELETED
) -> None:
    """Deletes the row and logs the deletion."""
    await batch_writes.delete_where_in(unit.transaction, row.table, "id", [row.id])
    unit.log.add(_entry(action, entity, row, []))


def _entry(action: ChangeAction, entity: str, row: Any, fields: Sequence[Mapping[str, Any]]) -> ChangeEntry:
    customer_id = getattr(row, "customer_id", None)
    return ChangeEntry(action, entity, row.id, getattr(row, "version", 1), fields, customer_id=customer_id)
