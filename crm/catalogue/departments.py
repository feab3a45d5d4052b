"""Departments: making, changing and deleting the tree that agents work in."""

from collections.abc import Mapping
from typing import Any

from crm import record_writes
from crm.access import memberships
from crm.access.memberships import AGENT, DEPARTMENT
from crm.errors import ErrorCode, Refused
from crm.unit_of_work import Act
from crm.validation import Checks, Given, listed, room, take_turn
from crm.values import text_values
from db import tables
from db.queries.catalogue import agents, departments
from db.rows import Row, copied, fresh
from db.values import wire_format
from db.values.folding import fold


async def create(act: Act, given: Given) -> Row:
    """Raises Refused and its like."""
    known = await _known(act)
    room(len(known), "departments")
    row = fresh(tables.Department, workspace_id=act.workspace_id, name="", name_key="")
    members = await _read(act, row, {"name": None, **given}, known)
    await act.work.insert(row)
    if members:
        await memberships.staff(act, row.id, members)
    act.log.add(record_writes.made("Department", row, lambda one: told(one, members or [])))
    return row


async def update(act: Act, wire_id: str, given: Given) -> Row:
    """Agents that are given replace its members. Raises Refused and its like."""
    known = await _known(act)
    found = _one(known, wire_id)
    row = copied(found, tables.Department)
    wanted = await _read(act, row, given, known)
    before = [] if wanted is None else await memberships.staff(act, row.id, wanted)
    after = [] if wanted is None else wanted
    was = told(found, sorted(before))
    await record_writes.change(
        act, "Department", row, vars(copied(found, tables.Department)), was, lambda one: told(one, sorted(after))
    )
    return row


async def delete(act: Act, wire_id: str) -> Any:
    """Nobody works in it any more. Raises Refused NOT_FOUND, IN_USE."""
    known = await _known(act)
    found = _one(known, wire_id)
    held = await departments.locked(act.work, found.id)
    below = [row.name for row in known.values() if row.parent_id == found.id]
    if below:
        raise _in_use(found, f"“{below[0]}” is a part of it; move or delete that first.")
    if count := await departments.customer_count(act.work, found.id):
        raise _in_use(found, f"customers belong to it ({count}, archived ones included); assign them elsewhere first.")
    if rules := await departments.rules(act.work, found.id):
        raise _in_use(found, f"the assignment rule “{rules[0]}” assigns to it; change that first.")
    await memberships.staff(act, found.id, [])
    await record_writes.remove(act, "Department", held)
    return found


def told(row: Any, members: list[bytes]) -> Mapping[str, Any]:
    parent = row.parent_id and DEPARTMENT(row.parent_id)
    return {"name": row.name, "parent": parent, "agents": [AGENT(one) for one in members]}


async def _known(act: Act) -> dict[bytes, Any]:
    """All departments. Until the act ends nobody else makes or moves one, so the tree stays one."""
    await take_turn(act, "departments")
    return {row.id: row for row in await departments.every(act.work)}


def _one(known: Mapping[bytes, Any], wire_id: str) -> Any:
    identifier = wire_format.parse("Department", wire_id)
    if identifier is None or identifier not in known:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no department “{wire_id}” here.", ("id",))
    return known[identifier]


async def _read(act: Act, row: Row, given: Given, known: Mapping[bytes, Any]) -> list[bytes] | None:
    """Takes what was given into the row; returns the members wanted, None where nothing is said of them."""
    checks = Checks()
    if "name" in given:
        row.name = checks.read(text_values.needed, given["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "parent" in given:
        row.parent_id = checks.read(_parent, row, given["parent"], known)
    members = None
    if "agents" in given:
        wire_ids = checks.read(listed, given["agents"], ("input", "agents")) or ()
        people = await agents.by_ids(act.work, memberships.parsed(wire_ids, "Agent")) if wire_ids else {}
        members = checks.read(memberships.named, wire_ids, "Agent", people, ("input", "agents"))
    checks.end()
    return members


def _parent(row: Row, wire_id: str | None, known: Mapping[bytes, Any]) -> bytes | None:
    """Raises Refused NOT_FOUND, and INVALID where it would be a part of itself."""
    if wire_id is None:
        return None
    path = ("input", "parent")
    parent = above = wire_format.parse("Department", wire_id)
    if parent is None or parent not in known:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no department “{wire_id}” here.", path)
    while above is not None:
        if above == row.id:
            message = (
                f"“{known[parent].name}” lies within “{known[row.id].name}”, which cannot become a part of itself."
            )
            raise Refused(ErrorCode.INVALID, message, path)
        above = known[above].parent_id
    return parent


def _in_use(found: Any, why: str) -> Refused:
    return Refused(ErrorCode.IN_USE, f"“{found.name}” cannot be deleted: {why}", ("id",))
