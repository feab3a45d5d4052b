"""Departments: making, changing and deleting the tree that agents work in."""

from collections.abc import Mapping
from typing import Any

from crm import record_writes
from crm.access import memberships
from crm.access.memberships import encode_agent_id, encode_department_id
from crm.errors import ErrorCode, InputError
from crm.unit_of_work import UnitOfWork
from crm.validation import ErrorCollector, InputData, check_list_has_room, check_list_length, lock_by_name
from crm.values import text_values
from db import tables
from db.queries.catalogue import agents, departments
from db.rows import Row, copy_row, new_row
from db.values import wire_format
from db.values.folding import fold


async def create(unit: UnitOfWork, given: InputData) -> Row:
    """Raises InputError and its like."""
    known = await _known(unit)
    check_list_has_room(len(known), "departments")
    row = new_row(tables.Department, workspace_id=unit.workspace_id, name="", name_key="")
    members = await _read(unit, row, {"name": None, **given}, known)
    await unit.transaction.insert(row)
    if members:
        await memberships.set_department_members(unit, row.id, members)
    unit.log.add(record_writes.created_entry("Department", row, lambda one: log_snapshot(one, members or [])))
    return row


async def update(unit: UnitOfWork, wire_id: str, given: InputData) -> Row:
    """Agents that are given replace its members. Raises InputError and its like."""
    known = await _known(unit)
    found = _one(known, wire_id)
    row = copy_row(found, tables.Department)
    wanted = await _read(unit, row, given, known)
    before = [] if wanted is None else await memberships.set_department_members(unit, row.id, wanted)
    after = [] if wanted is None else wanted
    was = log_snapshot(found, sorted(before))
    await record_writes.update_record(
        unit,
        "Department",
        row,
        vars(copy_row(found, tables.Department)),
        was,
        lambda one: log_snapshot(one, sorted(after)),
    )
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Nobody works in it any more. Raises InputError NOT_FOUND, IN_USE."""
    known = await _known(unit)
    found = _one(known, wire_id)
    held = await departments.lock_by_ids(unit.transaction, found.id)
    below = [row.name for row in known.values() if row.parent_id == found.id]
    if below:
        raise _in_use(found, f"“{below[0]}” is a part of it; move or delete that first.")
    if count := await departments.customer_count(unit.transaction, found.id):
        raise _in_use(found, f"customers belong to it ({count}, archived ones included); assign them elsewhere first.")
    if rules := await departments.assignment_rules_of(unit.transaction, found.id):
        raise _in_use(found, f"the assignment rule “{rules[0]}” assigns to it; change that first.")
    await memberships.set_department_members(unit, found.id, [])
    await record_writes.delete_record(unit, "Department", held)
    return found


def log_snapshot(row: Any, members: list[bytes]) -> Mapping[str, Any]:
    parent = row.parent_id and encode_department_id(row.parent_id)
    return {"name": row.name, "parent": parent, "agents": [encode_agent_id(one) for one in members]}


async def _known(unit: UnitOfWork) -> dict[bytes, Any]:
    """All departments. Until the act ends nobody else makes or moves one, so the tree stays one."""
    await lock_by_name(unit, "departments")
    return {row.id: row for row in await departments.all_departments(unit.transaction)}


def _one(known: Mapping[bytes, Any], wire_id: str) -> Any:
    identifier = wire_format.decode_id("Department", wire_id)
    if identifier is None or identifier not in known:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no department “{wire_id}” here.", ("id",))
    return known[identifier]


async def _read(unit: UnitOfWork, row: Row, given: InputData, known: Mapping[bytes, Any]) -> list[bytes] | None:
    """Takes what was given into the row; returns the members wanted, None where nothing is said of them."""
    checks = ErrorCollector()
    if "name" in given:
        row.name = checks.check(text_values.read_required_text, given["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "parent" in given:
        row.parent_id = checks.check(_parent, row, given["parent"], known)
    members = None
    if "agents" in given:
        wire_ids = checks.check(check_list_length, given["agents"], ("input", "agents")) or ()
        people = await agents.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Agent")) if wire_ids else {}
        members = checks.check(memberships.decode_known_ids, wire_ids, "Agent", people, ("input", "agents"))
    checks.raise_if_any()
    return members


def _parent(row: Row, wire_id: str | None, known: Mapping[bytes, Any]) -> bytes | None:
    """Raises InputError NOT_FOUND, and INVALID where it would be a part of itself."""
    if wire_id is None:
        return None
    path = ("input", "parent")
    parent = above = wire_format.decode_id("Department", wire_id)
    if parent is None or parent not in known:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no department “{wire_id}” here.", path)
    while above is not None:
        if above == row.id:
            message = (
                f"“{known[parent].name}” lies within “{known[row.id].name}”, which cannot become a part of itself."
            )
            raise InputError(ErrorCode.INVALID, message, path)
        above = known[above].parent_id
    return parent


def _in_use(found: Any, why: str) -> InputError:
    return InputError(ErrorCode.IN_USE, f"“{found.name}” cannot be deleted: {why}", ("id",))
