"""Assignment rules: making, changing and deleting what assigns customers by itself (SM2, SM3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm import record_writes, stored_filters
from crm.access import memberships
from crm.access.memberships import encode_agent_id, encode_department_id
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
from db import batch_writes, tables
from db.queries.assignment import rules
from db.queries.catalogue import agents, departments
from db.rows import Row, copy_row, new_row
from db.tables.enums import AssignmentStrategy
from db.values import wire_format


@dataclass(frozen=True, slots=True)
class _Members:
    """Whom a rule assigns to: agents first, then departments, each in their order."""

    agents: Sequence[bytes] = ()
    departments: Sequence[bytes] = ()


async def create(unit: UnitOfWork, given: InputData) -> Row:
    """The last of the rules unless a position is given. Raises InputError and its like."""
    await lock_by_name(unit, "assignment rules")
    known = await rules.all_rules(unit.transaction)
    check_list_has_room(len(known), "assignment rules")
    position = next_position(one.position for one in known)
    row = new_row(tables.AssignmentRule, workspace_id=unit.workspace_id, position=position)
    members = await _read(unit, row, {"name": None, **given}, _Members())
    await record_writes.create_record(unit, "AssignmentRule", row, lambda one: log_snapshot(one, members))
    await _keep(unit, row, members)
    return row


async def update(unit: UnitOfWork, wire_id: str, given: InputData) -> Row:
    """Agents and departments that are given replace the present ones. Raises InputError and its like."""
    found = await _one(unit, wire_id)
    row, before = copy_row(found, tables.AssignmentRule), await _members(unit, found)
    after = await _read(unit, row, given, before)
    was = log_snapshot(found, before)
    columns = vars(copy_row(found, tables.AssignmentRule))
    await record_writes.update_record(unit, "AssignmentRule", row, columns, was, lambda one: log_snapshot(one, after))
    if after != before:
        await batch_writes.delete_where_in(unit.transaction, tables.AssignmentRuleMember, "rule_id", [row.id])
        await _keep(unit, row, after)
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Whom it assigned stays assigned. Raises InputError NOT_FOUND."""
    found = await _one(unit, wire_id)
    await record_writes.delete_record(unit, "AssignmentRule", found)
    return found


def log_snapshot(row: Any, members: _Members) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "active": row.active,
        "position": row.position,
        "filter": row.filter,
        "strategy": AssignmentStrategy(row.strategy).name,
        "agents": [encode_agent_id(one) for one in members.agents],
        "departments": [encode_department_id(one) for one in members.departments],
    }


async def _one(unit: UnitOfWork, wire_id: str) -> Any:
    """Held."""
    identifier = wire_format.decode_id("AssignmentRule", wire_id)
    found = await rules.lock_by_ids(unit.transaction, identifier) if identifier else None
    if found is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no assignment rule “{wire_id}” here.", ("id",))
    return found


async def _members(unit: UnitOfWork, found: Any) -> _Members:
    people = (await rules.agents(unit.transaction, [found.id])).get(found.id, [])
    places = (await rules.departments(unit.transaction, [found.id])).get(found.id, [])
    return _Members([row.id for row in people], [row.id for row in places])


async def _read(unit: UnitOfWork, row: Row, given: InputData, before: _Members) -> _Members:
    """Takes what was given into the row; returns whom it assigns to then."""
    checks = ErrorCollector()
    if "name" in given:
        row.name = checks.check(text_values.read_required_text, given["name"], ("input", "name"), "a name") or ""
    if "active" in given:
        row.active = bool(checks.check(require_value, given["active"], ("input", "active")))
    if given.get("position") is not None:
        row.position = checks.check(check_integer, given["position"], ("input", "position"))
    if "filter" in given:
        row.filter = given["filter"] or None
        await checks.check_async(stored_filters.check_stored_filter(unit, filter=row.filter))
    if "strategy" in given:
        row.strategy = int(checks.check(require_value, given["strategy"], ("input", "strategy")) or 0)
    people, places = before.agents, before.departments
    if "agents" in given:
        people = await _agents(unit, checks, given["agents"], before.agents)
    if "departments" in given:
        places = await _departments(unit, checks, given["departments"])
    checks.raise_if_any()
    return _Members(people, places)


async def _agents(
    unit: UnitOfWork, checks: ErrorCollector, given: Sequence[str] | None, before: Sequence[bytes]
) -> list[bytes]:
    """An agent who is not active cannot be named anew; one who was named while he was may stay."""
    path: Path = ("input", "agents")
    wire_ids = checks.check(check_list_length, given, path) or ()
    known = await agents.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Agent")) if wire_ids else {}
    named = checks.check(memberships.decode_known_ids, wire_ids, "Agent", known, path) or []
    for identifier in named:
        if not known[identifier].active and identifier not in before:
            place = list(wire_ids).index(encode_agent_id(identifier))
            message = f"{known[identifier].name} is not active any more; choose another agent."
            checks.add(ErrorCode.AGENT_INACTIVE, message, (*path, place))
    return named


async def _departments(unit: UnitOfWork, checks: ErrorCollector, given: Sequence[str] | None) -> list[bytes]:
    path: Path = ("input", "departments")
    wire_ids = checks.check(check_list_length, given, path) or ()
    known = (
        await departments.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Department")) if wire_ids else {}
    )
    return checks.check(memberships.decode_known_ids, wire_ids, "Department", known, path) or []


async def _keep(unit: UnitOfWork, row: Row, members: _Members) -> None:
    each: list[dict[str, Any]] = [{"agent_id": one} for one in members.agents]
    each += [{"department_id": one} for one in members.departments]
    own = {"workspace_id": unit.workspace_id, "rule_id": row.id}
    await unit.transaction.insert(
        *(new_row(tables.AssignmentRuleMember, **own, **one, position=place) for place, one in enumerate(each))
    )
