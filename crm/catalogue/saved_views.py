"""Saved views: making, changing and deleting them (SM3–7, SM11, SM18, SB7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import record_writes, stored_filters
from crm.catalogue import fields
from crm.customers import loaded_customer
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.validation import (
    ErrorCollector,
    InputData,
    check_integer,
    check_list_has_room,
    check_list_length,
    lock_by_name,
    next_position,
    require_value,
)
from crm.values import text_values
from crm.workspace.workspaces import DEFAULT_VIEW_COLUMNS as SHOWN
from db import tables
from db.filtering.search import MAX_SEARCH_LENGTH
from db.queries.catalogue import saved_views
from db.rows import Row, copy_row, new_row
from db.tables.enums import Permission
from db.values import wire_format
from db.values.folding import fold

MAX_COLUMN_WIDTH: Final = 10_000
"""Of a column, in whatever the client counts widths in."""

MAX_VIEW_COLUMNS: Final = 250

_AGENT = wire_format.id_encoder("Agent")
_FIELDS: Final = frozenset(field.key for field in fields.CUSTOMER_FIELDS)
"""What a column can show beside external ids and custom fields."""


async def create(unit: UnitOfWork, given: InputData) -> Row:
    """It is the viewer's own. Raises InputError and its like."""
    await lock_by_name(unit, "saved views")
    known = await saved_views.visible_views(unit.transaction, unit.viewer.agent_id, None)
    check_list_has_room(len(known), "saved views")
    row = new_row(
        tables.SavedView,
        workspace_id=unit.workspace_id,
        owner_id=unit.viewer.agent_id,
        position=next_position(one.position for one in known),
        columns=_shown(),
    )
    await _read(unit, row, {"name": None, "shared": False, **given}, shared=False)
    return await record_writes.create_record(unit, "SavedView", row, log_snapshot)


async def update(unit: UnitOfWork, wire_id: str, given: InputData) -> Row:
    """One's own, or a shared one with VIEW_SHARE. Raises InputError NOT_FOUND, FORBIDDEN, VIEW_PROTECTED and the like."""
    found = await _one(unit, wire_id)
    row = copy_row(found, tables.SavedView)
    await _read(unit, row, given, shared=found.shared)
    await record_writes.update_record(
        unit, "SavedView", row, vars(copy_row(found, tables.SavedView)), log_snapshot(found), log_snapshot
    )
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """One's own, or a shared one with VIEW_SHARE. Raises InputError NOT_FOUND, FORBIDDEN, VIEW_PROTECTED."""
    found = await _one(unit, wire_id)
    await record_writes.delete_record(unit, "SavedView", found)
    return found


async def remove_field_from_views(unit: UnitOfWork, name: str) -> None:
    """No view shows the field any more."""
    for found in await saved_views.all_views(unit.transaction):
        row = copy_row(found, tables.SavedView)
        row.columns = [one for one in found.columns if one["field"] != name]
        await record_writes.update_record(
            unit, "SavedView", row, vars(copy_row(found, tables.SavedView)), log_snapshot(found), log_snapshot
        )


def log_snapshot(row: Any) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "owner": row.owner_id and _AGENT(row.owner_id),
        "shared": row.shared,
        "protected": row.protected,
        "position": row.position,
        "filter": row.filter,
        "search": row.search,
        "sort": row.sort,
        "columns": row.columns,
    }


async def _one(unit: UnitOfWork, wire_id: str) -> Any:
    """Held. Others' own views are as if they were not."""
    identifier, viewer = wire_format.decode_id("SavedView", wire_id), unit.viewer
    found = await saved_views.lock_by_ids(unit.transaction, identifier) if identifier else None
    mine = found is not None and found.owner_id is not None and found.owner_id == viewer.agent_id
    if found is None or not (mine or found.shared):
        raise InputError(ErrorCode.NOT_FOUND, f"There is no saved view “{wire_id}” here.", ("id",))
    if found.protected:
        message = f"“{found.name}” stays as it is; make a view of your own instead."
        raise InputError(ErrorCode.VIEW_PROTECTED, message, ("id",))
    if not mine and not viewer.has_permission(Permission.VIEW_SHARE):
        message = f"“{found.name}” is somebody else's; only its owner changes it, or who has VIEW_SHARE."
        raise InputError(ErrorCode.FORBIDDEN, message, ("id",))
    return found


# ── what is given ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _read(unit: UnitOfWork, row: Row, given: InputData, *, shared: bool) -> None:
    """Takes it into the row. `shared` tells whether the view is so far."""
    checks = ErrorCollector()
    if "name" in given:
        row.name = checks.check(text_values.read_required_text, given["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "shared" in given:
        row.shared = bool(checks.check(_shared, unit, row, given["shared"], shared))
    if given.get("position") is not None:
        row.position = checks.check(check_integer, given["position"], ("input", "position"))
    if "search" in given:
        row.search = checks.check(
            text_values.read_text, given["search"], ("input", "search"), longest=MAX_SEARCH_LENGTH
        )
    for name in ("filter", "sort"):
        if name in given:
            setattr(row, name, given[name] or None)
            await checks.check_async(stored_filters.check_stored_filter(unit, **{name: getattr(row, name)}))
    if "columns" in given:
        custom = {one.key for one in await loaded_customer.load_custom_fields(unit) if one.active}
        row.columns = _columns(checks, given["columns"], custom)
    checks.raise_if_any()


def _shared(unit: UnitOfWork, row: Row, given: bool | None, so_far: bool) -> bool:
    """Raises InputError FORBIDDEN, and INVALID where it would be nobody's."""
    path = ("input", "shared")
    wanted = bool(require_value(given, path))
    if wanted and not so_far and not unit.viewer.has_permission(Permission.VIEW_SHARE):
        raise InputError(ErrorCode.FORBIDDEN, "You need VIEW_SHARE to share a view with everybody.", path)
    if not wanted and row.owner_id is None:
        message = "Nobody owns this view, so it is shared; a key has no views of its own."
        raise InputError(ErrorCode.INVALID, message, path)
    return wanted


def _columns(checks: ErrorCollector, given: Sequence[InputData] | None, custom: set[str]) -> list[dict[str, Any]]:
    """What a view shows where nothing is chosen, for null."""
    path: Path = ("input", "columns")
    if given is None:
        return _shown()
    kept: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(checks.check(check_list_length, given, path, most=MAX_VIEW_COLUMNS) or ()):
        field, width = one["field"], one.get("width")
        if field in kept:
            checks.add(ErrorCode.INVALID, f"“{field}” is there already.", (*path, place, "field"))
        elif not _is_field(field, custom):
            checks.add(ErrorCode.FIELD_UNKNOWN, f"There is no field “{field}”.", (*path, place, "field"))
        if width is not None:
            checks.check(check_integer, width, (*path, place, "width"), least=1, most=MAX_COLUMN_WIDTH)
        kept[field] = {"field": field, "width": width}
    return list(kept.values())


def _is_field(name: str, custom: set[str]) -> bool:
    kind, _, key = name.partition(".")
    if kind == "custom":
        return key in custom
    return name in _FIELDS or (kind == "externalId" and bool(key.strip()) and len(key) <= text_values.MAX_WORD_LENGTH)


def _shown() -> list[dict[str, Any]]:
    return [{"field": field, "width": None} for field in SHOWN]
