"""Departments: creating, updating and deleting the tree of departments."""

from collections.abc import Mapping
from typing import Any

from crm import record_writes
from crm.access import memberships
from crm.access.memberships import encode_agent_id, encode_department_id
from crm.errors import ErrorCode, InputError, counted
from crm.unit_of_work import UnitOfWork
from crm.validation import ErrorCollector, InputData, check_list_has_room, check_list_length, lock_by_name
from crm.values import text_values
from db import tables
from db.queries.catalogue import agents, departments
from db.rows import Row, copy_row, new_row
from db.values import wire_format
from db.values.folding import fold


async def create(unit: UnitOfWork, data: InputData) -> Row:
    """Creates a department. Raises InputError and its subclasses."""
    departments_by_id = await _load_departments(unit)
    check_list_has_room(len(departments_by_id), "departments")
    row = new_row(tables.Department, workspace_id=unit.workspace_id, name="", name_key="")
    members = await _read_input(unit, row, {"name": None, **data}, departments_by_id)
    await unit.transaction.insert(row)
    if members:
        await memberships.set_department_members(unit, row.id, members)
    unit.log.add(record_writes.created_entry("Department", row, lambda record: log_snapshot(record, members or [])))
    return row


async def update(unit: UnitOfWork, wire_id: str, data: InputData) -> Row:
    """Updates a department. Given agents replace its members. Raises InputError and its subclasses."""
    departments_by_id = await _load_departments(unit)
    stored_department = _find_department(departments_by_id, wire_id)
    row = copy_row(stored_department, tables.Department)
    member_ids = await _read_input(unit, row, data, departments_by_id)
    before = [] if member_ids is None else await memberships.set_department_members(unit, row.id, member_ids)
    after = [] if member_ids is None else member_ids
    log_before = log_snapshot(stored_department, sorted(before))
    await record_writes.update_record(
        unit,
        "Department",
        row,
        vars(copy_row(stored_department, tables.Department)),
        log_before,
        lambda record: log_snapshot(record, sorted(after)),
    )
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Deletes a department and its memberships. Raises InputError NOT_FOUND, IN_USE."""
    departments_by_id = await _load_departments(unit)
    department = _find_department(departments_by_id, wire_id)
    locked_row = await departments.lock_by_ids(unit.transaction, department.id)
    child_names = [row.name for row in departments_by_id.values() if row.parent_id == department.id]
    if child_names:
        raise _in_use_error(department, f"it contains “{child_names[0]}”; move or delete that department first.")
    if count := await departments.customer_count(unit.transaction, department.id):
        raise _in_use_error(
            department,
            f"{counted(count, 'customer belongs', 'customers belong')} to it, including archived "
            "ones; assign them elsewhere first.",
        )
    if rules := await departments.assignment_rules_of(unit.transaction, department.id):
        raise _in_use_error(department, f"the assignment rule “{rules[0]}” assigns to it; change that rule first.")
    await memberships.set_department_members(unit, department.id, [])
    await record_writes.delete_record(unit, "Department", locked_row)
    return department


def log_snapshot(row: Any, members: list[bytes]) -> Mapping[str, Any]:
    parent = row.parent_id and encode_department_id(row.parent_id)
    return {"name": row.name, "parent": parent, "agents": [encode_agent_id(agent_id) for agent_id in members]}


async def _load_departments(unit: UnitOfWork) -> dict[bytes, Any]:
    """Loads all departments. The lock prevents concurrent changes that could make the tree inconsistent."""
    await lock_by_name(unit, "departments")
    return {row.id: row for row in await departments.all_departments(unit.transaction)}


def _find_department(departments_by_id: Mapping[bytes, Any], wire_id: str) -> Any:
    identifier = wire_format.decode_id("Department", wire_id)
    if identifier is None or identifier not in departments_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no department “{wire_id}” in this workspace.", ("id",))
    return departments_by_id[identifier]


async def _read_input(
    unit: UnitOfWork, row: Row, data: InputData, departments_by_id: Mapping[bytes, Any]
) -> list[bytes] | None:
    """Stores the input in the row; returns the requested members, None if the input has none."""
    errors = ErrorCollector()
    if "name" in data:
        row.name = errors.check(text_values.read_required_text, data["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "parent" in data:
        row.parent_id = errors.check(_check_parent, row, data["parent"], departments_by_id)
    members = None
    if "agents" in data:
        wire_ids = errors.check(check_list_length, data["agents"], ("input", "agents")) or ()
        agents_by_id = (
            await agents.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Agent")) if wire_ids else {}
        )
        members = errors.check(memberships.decode_known_ids, wire_ids, "Agent", agents_by_id, ("input", "agents"))
    errors.raise_if_any()
    return members


def _check_parent(row: Row, wire_id: str | None, departments_by_id: Mapping[bytes, Any]) -> bytes | None:
    """Checks the parent. Raises InputError NOT_FOUND, and INVALID if the department would contain itself."""
    if wire_id is None:
        return None
    path = ("input", "parent")
    parent = ancestor = wire_format.decode_id("Department", wire_id)
    if parent is None or parent not in departments_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no department “{wire_id}” in this workspace.", path)
    while ancestor is not None:
        if ancestor == row.id:
            inner, outer = departments_by_id[parent].name, departments_by_id[row.id].name
            message = f"“{inner}” is inside “{outer}”, which cannot become a part of itself."
            raise InputError(ErrorCode.INVALID, message, path)
        ancestor = departments_by_id[ancestor].parent_id
    return parent


def _in_use_error(department: Any, reason: str) -> InputError:
    return InputError(ErrorCode.IN_USE, f"“{department.name}” cannot be deleted: {reason}", ("id",))
