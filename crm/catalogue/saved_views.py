"""Saved views: creating, updating and deleting them (SM3–7, SM11, SM18, SB7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import record_writes, stored_filters
from crm.catalogue import fields
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
from db.tables.enums import EntityType, Permission
from db.values import wire_format
from db.values.folding import fold

MAX_COLUMN_WIDTH: Final = 10_000
"""Maximum width of a column, in the client's own unit."""

MAX_VIEW_COLUMNS: Final = 250

_encode_agent_id = wire_format.id_encoder("Agent")
_FIELD_KEYS: Final = frozenset(field.key for field in fields.CUSTOMER_FIELDS)
"""The built-in fields that a column can show."""


async def create(unit: UnitOfWork, data: InputData) -> Row:
    """Creates a view, which the viewer owns. Raises InputError and its subclasses."""
    await lock_by_name(unit, "saved views")
    existing = await saved_views.visible_views(unit.transaction, unit.viewer.agent_id, None)
    check_list_has_room(len(existing), "saved views")
    row = new_row(
        tables.SavedView,
        workspace_id=unit.workspace_id,
        owner_id=unit.viewer.agent_id,
        position=next_position(view.position for view in existing),
        columns=_default_columns(),
    )
    await _read_input(unit, row, {"name": None, "shared": False, **data}, shared=False)
    return await record_writes.create_record(unit, "SavedView", row, log_snapshot)


async def update(unit: UnitOfWork, wire_id: str, data: InputData) -> Row:
    """Updates an own view, or a shared one with VIEW_SHARE. Raises InputError NOT_FOUND, FORBIDDEN, VIEW_PROTECTED and
    others."""
    stored_view = await _load_view(unit, wire_id)
    row = copy_row(stored_view, tables.SavedView)
    await _read_input(unit, row, data, shared=stored_view.shared)
    await record_writes.update_record(
        unit, "SavedView", row, vars(copy_row(stored_view, tables.SavedView)), log_snapshot(stored_view), log_snapshot
    )
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Deletes an own view, or a shared one with VIEW_SHARE. Raises InputError NOT_FOUND, FORBIDDEN, VIEW_PROTECTED."""
    view = await _load_view(unit, wire_id)
    await record_writes.delete_record(unit, "SavedView", view)
    return view


async def remove_field_from_views(unit: UnitOfWork, name: str) -> None:
    """Removes the field from the columns of all views."""
    for stored_view in await saved_views.all_views(unit.transaction):
        row = copy_row(stored_view, tables.SavedView)
        row.columns = [column for column in stored_view.columns if column["field"] != name]
        await record_writes.update_record(
            unit,
            "SavedView",
            row,
            vars(copy_row(stored_view, tables.SavedView)),
            log_snapshot(stored_view),
            log_snapshot,
        )


def log_snapshot(row: Any) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "owner": row.owner_id and _encode_agent_id(row.owner_id),
        "shared": row.shared,
        "protected": row.protected,
        "position": row.position,
        "filter": row.filter,
        "search": row.search,
        "sort": row.sort,
        "columns": row.columns,
    }


async def _load_view(unit: UnitOfWork, wire_id: str) -> Any:
    """Loads and locks the view. Private views of others are reported as not found."""
    identifier, viewer = wire_format.decode_id("SavedView", wire_id), unit.viewer
    view = await saved_views.lock_by_ids(unit.transaction, identifier) if identifier else None
    is_own = view is not None and view.owner_id is not None and view.owner_id == viewer.agent_id
    if view is None or not (is_own or view.shared):
        raise InputError(ErrorCode.NOT_FOUND, f"There is no saved view “{wire_id}” in this workspace.", ("id",))
    if view.protected:
        message = f"“{view.name}” cannot be changed; create a view of your own instead."
        raise InputError(ErrorCode.VIEW_PROTECTED, message, ("id",))
    if not is_own and not viewer.has_permission(Permission.VIEW_SHARE):
        message = f"“{view.name}” belongs to somebody else; only its owner or a holder of VIEW_SHARE can change it."
        raise InputError(ErrorCode.FORBIDDEN, message, ("id",))
    return view


# ── the input ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _read_input(unit: UnitOfWork, row: Row, data: InputData, *, shared: bool) -> None:
    """Stores the input in the row. `shared` tells whether the stored view is shared."""
    errors = ErrorCollector()
    if "name" in data:
        row.name = errors.check(text_values.read_required_text, data["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "shared" in data:
        row.shared = bool(errors.check(_check_shared, unit, row, data["shared"], shared))
    if data.get("position") is not None:
        row.position = errors.check(check_integer, data["position"], ("input", "position"))
    if "search" in data:
        row.search = errors.check(
            text_values.read_text, data["search"], ("input", "search"), max_length=MAX_SEARCH_LENGTH
        )
    for name in ("filter", "sort"):
        if name in data:
            setattr(row, name, data[name] or None)
            await errors.check_async(stored_filters.check_stored_filter(unit, **{name: getattr(row, name)}))
    if "columns" in data:
        custom = {
            custom_field.key for custom_field in await unit.custom_fields(EntityType.CUSTOMER) if custom_field.active
        }
        row.columns = _check_columns(errors, data["columns"], custom)
    errors.raise_if_any()


def _check_shared(unit: UnitOfWork, row: Row, requested: bool | None, was_shared: bool) -> bool:
    """Checks the sharing of the view. Raises InputError FORBIDDEN, and INVALID if a view without an owner would not be
    shared."""
    path = ("input", "shared")
    is_shared = bool(require_value(requested, path))
    if is_shared and not was_shared and not unit.viewer.has_permission(Permission.VIEW_SHARE):
        raise InputError(ErrorCode.FORBIDDEN, "Sharing a view needs the permission VIEW_SHARE.", path)
    if not is_shared and row.owner_id is None:
        message = "This view has no owner, so it has to stay shared."
        raise InputError(ErrorCode.INVALID, message, path)
    return is_shared


def _check_columns(
    errors: ErrorCollector, columns: Sequence[InputData] | None, custom: set[str]
) -> list[dict[str, Any]]:
    """The validated columns; the default columns for null."""
    path: Path = ("input", "columns")
    if columns is None:
        return _default_columns()
    columns_by_field: dict[str, dict[str, Any]] = {}
    for index, column in enumerate(errors.check(check_list_length, columns, path, max_items=MAX_VIEW_COLUMNS) or ()):
        field, width = column["field"], column.get("width")
        if field in columns_by_field:
            errors.add(ErrorCode.INVALID, f"“{field}” is listed twice; remove one of them.", (*path, index, "field"))
        elif not _is_field(field, custom):
            errors.add(
                ErrorCode.FIELD_UNKNOWN,
                f"There is no field “{field}”; choose one of the listed fields.",
                (*path, index, "field"),
            )
        if width is not None:
            errors.check(check_integer, width, (*path, index, "width"), minimum=1, maximum=MAX_COLUMN_WIDTH)
        columns_by_field[field] = {"field": field, "width": width}
    return list(columns_by_field.values())


def _is_field(name: str, custom: set[str]) -> bool:
    kind, _, key = name.partition(".")
    if kind == "custom":
        return key in custom
    return name in _FIELD_KEYS or (
        kind == "externalId" and bool(key.strip()) and len(key) <= text_values.MAX_WORD_LENGTH
    )


def _default_columns() -> list[dict[str, Any]]:
    return [{"field": field, "width": None} for field in SHOWN]
