"""Segments: groups of customers, defined by a stored filter or by hand (EM1, EM2, SM10)."""

from collections.abc import Mapping
from typing import Any

from crm import record_writes, stored_filters
from crm.errors import ErrorCode, InputError, Path, check_version
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.queries.catalogue import segments
from db.rows import Row, copy_row, new_row
from db.tables.enums import SegmentKind
from db.values import wire_format
from db.values.folding import fold

SegmentData = Mapping[str, Any]

_encode_segment_id = wire_format.id_encoder("Segment")


def log_snapshot(segment: Any) -> Mapping[str, Any]:
    return {
        "name": segment.name,
        "kind": SegmentKind(segment.kind).name,
        "description": segment.description,
        "filter": segment.filter,
    }


async def create(unit: UnitOfWork, data: SegmentData) -> Row:
    """Creates a segment. Raises InputError BLANK, TOO_LONG, INVALID, and the errors of the filter."""
    kind = SegmentKind.DYNAMIC if data.get("kind") is None else SegmentKind(data["kind"])
    row = new_row(tables.Segment, workspace_id=unit.workspace_id, name="", name_key="", kind=int(kind))
    await _set_columns(unit, row, {"name": None, "filter": None, **data})
    segment = await record_writes.create_record(unit, "Segment", row, log_snapshot)
    await _check_nesting(unit, row)
    return segment


async def update(unit: UnitOfWork, wire_id: str, data: SegmentData, *, if_version: int | None = None) -> Row:
    """Updates a segment. Raises InputError NOT_FOUND, FIELD_PROTECTED, SEGMENT_CYCLE and others, ConflictError."""
    stored_segment = await _load_segment(unit, wire_id)
    check_version(stored_segment, if_version)
    row = copy_row(stored_segment, tables.Segment)
    if data.get("kind") not in (None, row.kind):
        message = "The kind of a segment cannot change; create another segment."
        raise InputError(ErrorCode.FIELD_PROTECTED, message, ("input", "kind"))
    await _set_columns(unit, row, data)
    if await record_writes.update_record(
        unit, "Segment", row, vars(copy_row(stored_segment, tables.Segment)), log_snapshot(stored_segment), log_snapshot
    ):
        await _check_nesting(unit, row)
    return row


async def _check_nesting(unit: UnitOfWork, row: Row) -> None:
    """Raises InputError SEGMENT_CYCLE, LIMIT_EXCEEDED. The stored segment is checked by its id, because only then
    cycles and the nesting depth show."""
    await stored_filters.check_stored_filter(unit, filter=row.filter)
    membership_filter = {"segments": {"includesAll": [_encode_segment_id(row.id)]}}
    await stored_filters.check_stored_filter(unit, filter=membership_filter, path=("input", "filter"))


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Deletes a segment; its customers stay. Raises InputError NOT_FOUND, IN_USE."""
    segment = await _load_segment(unit, wire_id)
    if users := await _users_of(unit, segment):
        message = f"“{segment.name}” is used by {', '.join(users[:3])}; remove it there first."
        raise InputError(ErrorCode.IN_USE, message, ("id",))
    await record_writes.delete_record(unit, "Segment", segment)
    return segment


async def _load_segment(unit: UnitOfWork, wire_id: str) -> Any:
    """Loads and locks the segment."""
    identifier = wire_format.decode_id("Segment", wire_id)
    segments_by_id = await segments.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in segments_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no segment “{wire_id}” in this workspace.", ("id",))
    return segments_by_id[identifier]


async def _set_columns(unit: UnitOfWork, row: Row, data: SegmentData) -> None:
    if "name" in data:
        row.name = text_values.read_required_text(data["name"], ("input", "name"), "a name")
        row.name_key = fold(row.name)
    if "description" in data:
        row.description = text_values.read_text(
            data["description"], ("input", "description"), max_length=text_values.MAX_LINE_LENGTH
        )
    if "filter" in data:
        row.filter = await _check_filter(unit, SegmentKind(row.kind), data["filter"], ("input", "filter"))


async def _check_filter(unit: UnitOfWork, kind: SegmentKind, stored_filter: Any, path: Path) -> Any:
    """The filter, stored as it was given."""
    if kind is SegmentKind.STATIC:
        if stored_filter is not None:
            message = "The members of a STATIC segment are added by hand; remove the filter."
            raise InputError(ErrorCode.INVALID, message, path)
        return None
    if stored_filter is None:
        raise InputError(ErrorCode.INVALID, "A DYNAMIC segment needs a filter that defines its members.", path)
    await stored_filters.check_stored_filter(unit, filter=stored_filter)
    return stored_filter


async def _users_of(unit: UnitOfWork, segment: Any) -> list[str]:
    """The names of the segments, saved views and assignment rules whose filters refer to the segment."""
    wire_id = _encode_segment_id(segment.id)
    filters = await segments.stored_filters(unit.transaction)
    return [f"“{record.name}”" for record in filters if record.id != segment.id and _refers_to(record.filter, wire_id)]


def _refers_to(filter: Any, wire_id: str) -> bool:
    if isinstance(filter, Mapping):
        return any(_refers_to(part, wire_id) for part in filter.values())
    if isinstance(filter, list):
        return any(_refers_to(part, wire_id) for part in filter)
    return bool(filter == wire_id)
