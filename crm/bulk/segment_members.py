"""Adding many customers to a static segment and removing them (EM1, EM2)."""

from collections.abc import Sequence
from typing import Any

from crm.bulk import chunk as each
from crm.change_log import ChangeEntry
from crm.errors import ErrorCode, InputError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries.catalogue import segments
from db.rows import Row, new_row
from db.tables.enums import ChangeAction, JobKind, Outcome, Permission, SegmentKind
from db.values import wire_format

_SEGMENT = wire_format.id_encoder("Segment")


async def static_segment_id(unit: UnitOfWork, wire_id: str) -> bytes:
    """The id of the static segment. Raises InputError NOT_FOUND, SEGMENT_IS_DYNAMIC."""
    identifier = wire_format.decode_id("Segment", wire_id)
    segment = (await segments.by_ids(unit.transaction, [identifier])).get(identifier) if identifier else None
    if segment is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no segment “{wire_id}” in this workspace.", ("id",))
    if segment.kind != SegmentKind.STATIC:
        message = f"The members of “{segment.name}” follow from its filter; change the filter instead."
        raise InputError(ErrorCode.SEGMENT_IS_DYNAMIC, message, ("id",))
    return segment.id


@job_handler(JobKind.SEGMENT_MEMBERS, Permission.SEGMENT_MANAGE)
async def change_members(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Adds the rows below `adding` and removes the others; one chunk may contain both."""
    adding = task.arguments["adding"]
    to_add = [item for item in items if item.row < adding]
    to_remove = [item for item in items if item.row >= adding]
    return [*await _change_rows(unit, task, to_add, True), *await _change_rows(unit, task, to_remove, False)]


async def _change_rows(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem], is_adding: bool) -> list[RowResult]:
    if not items:
        return []
    segment_id = bytes.fromhex(task.arguments["segment"])
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, foreign=True)
    ids = [state.id for _, state in chunk.undecided()]
    members = await segments.member_ids_among(unit.transaction, segment_id, ids)
    for item, state in chunk.undecided():
        if (state.id in members) is is_adding:
            chunk.skip(item)
    pairs = chunk.undecided()
    if is_adding:
        rows: list[Row] = [
            new_row(tables.SegmentMember, workspace_id=unit.workspace_id, segment_id=segment_id, customer_id=state.id)
            for _, state in pairs
        ]
        await unit.transaction.insert(*rows)
    else:
        keys: list[Any] = [{"segment_id": segment_id, "customer_id": state.id} for _, state in pairs]
        await batch_writes.delete_rows(unit.transaction, tables.SegmentMember, keys)
    for item, state in pairs:
        segment_wire_id = _SEGMENT(segment_id)
        fields = [
            {
                "field": "segments",
                "before": None if is_adding else segment_wire_id,
                "after": segment_wire_id if is_adding else None,
            }
        ]
        unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Customer", state.id, state.row.version, fields, row=item.row))
        chunk.results[item.row] = RowResult(item.row, state.id, Outcome.UPDATED)
    return chunk.results_in_order()
