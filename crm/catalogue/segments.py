"""Segments: groups of customers that a stored filter finds, or that are kept by hand (EM1, EM2, SM10)."""

from collections.abc import Mapping
from typing import Any

from crm import record_writes, stored_filters
from crm.errors import ConflictError, ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.queries.catalogue import segments
from db.rows import Row, copy_row, new_row
from db.tables.enums import SegmentKind
from db.values import wire_format
from db.values.folding import fold

SegmentData = Mapping[str, Any]

_WIRE = wire_format.id_encoder("Segment")


def log_snapshot(segment: Any) -> Mapping[str, Any]:
    return {
        "name": segment.name,
        "kind": SegmentKind(segment.kind).name,
        "description": segment.description,
        "filter": segment.filter,
    }


async def create(unit: UnitOfWork, given: SegmentData) -> Row:
    """Raises InputError BLANK, TOO_LONG, INVALID, and what a filter is refused with."""
    kind = SegmentKind.DYNAMIC if given.get("kind") is None else SegmentKind(given["kind"])
    row = new_row(tables.Segment, workspace_id=unit.workspace_id, name="", name_key="", kind=int(kind))
    await _take(unit, row, {"name": None, "filter": None, **given})
    made = await record_writes.create_record(unit, "Segment", row, log_snapshot)
    await _check_nesting(unit, row)
    return made


async def update(unit: UnitOfWork, wire_id: str, given: SegmentData, *, if_version: int | None = None) -> Row:
    """Raises InputError NOT_FOUND, FIELD_PROTECTED, SEGMENT_CYCLE and the like, ConflictError."""
    found = await _one(unit, wire_id)
    if if_version is not None and if_version != found.version:
        raise ConflictError(found)
    row = copy_row(found, tables.Segment)
    if given.get("kind") not in (None, row.kind):
        message = "A segment keeps its kind; make another segment."
        raise InputError(ErrorCode.FIELD_PROTECTED, message, ("input", "kind"))
    await _take(unit, row, given)
    if await record_writes.update_record(
        unit, "Segment", row, vars(copy_row(found, tables.Segment)), log_snapshot(found), log_snapshot
    ):
        await _check_nesting(unit, row)
    return row


async def _check_nesting(unit: UnitOfWork, row: Row) -> None:
    """Raises InputError SEGMENT_CYCLE, LIMIT_EXCEEDED. Asked as it is stored now, under its name: only so it shows whether
    it has become a part of itself, or nests too deep."""
    await stored_filters.check_stored_filter(unit, filter=row.filter)
    whole = {"segments": {"includesAll": [_WIRE(row.id)]}}
    await stored_filters.check_stored_filter(unit, filter=whole, path=("input", "filter"))


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Its customers stay. Raises InputError NOT_FOUND, IN_USE."""
    found = await _one(unit, wire_id)
    if uses := await _uses(unit, found):
        message = f"“{found.name}” is used by {', '.join(uses[:3])}; take it out there first."
        raise InputError(ErrorCode.IN_USE, message, ("id",))
    await record_writes.delete_record(unit, "Segment", found)
    return found


async def _one(unit: UnitOfWork, wire_id: str) -> Any:
    """Held until the act ends."""
    identifier = wire_format.decode_id("Segment", wire_id)
    found = await segments.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in found:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no segment “{wire_id}” here.", ("id",))
    return found[identifier]


async def _take(unit: UnitOfWork, row: Row, given: SegmentData) -> None:
    if "name" in given:
        row.name = text_values.read_required_text(given["name"], ("input", "name"), "a name")
        row.name_key = fold(row.name)
    if "description" in given:
        row.description = text_values.read_text(
            given["description"], ("input", "description"), longest=text_values.MAX_LINE_LENGTH
        )
    if "filter" in given:
        row.filter = await _filter(unit, SegmentKind(row.kind), given["filter"], ("input", "filter"))


async def _filter(unit: UnitOfWork, kind: SegmentKind, given: Any, path: Path) -> Any:
    """Kept as it was written."""
    if kind is SegmentKind.STATIC:
        if given is not None:
            message = "The members of a STATIC segment are put in by hand; it has no filter."
            raise InputError(ErrorCode.INVALID, message, path)
        return None
    if given is None:
        raise InputError(ErrorCode.INVALID, "A DYNAMIC segment needs a filter: it says who is in it.", path)
    await stored_filters.check_stored_filter(unit, filter=given)
    return given


async def _uses(unit: UnitOfWork, segment: Any) -> list[str]:
    """What asks for the segment by its id: other segments, saved views, assignment rules, by their names."""
    mine = _WIRE(segment.id)
    stored = await segments.stored_filters(unit.transaction)
    return [f"“{one.name}”" for one in stored if one.id != segment.id and _names(one.filter, mine)]


def _names(filter: Any, wire_id: str) -> bool:
    if isinstance(filter, Mapping):
        return any(_names(one, wire_id) for one in filter.values())
    if isinstance(filter, list):
        return any(_names(one, wire_id) for one in filter)
    return bool(filter == wire_id)
