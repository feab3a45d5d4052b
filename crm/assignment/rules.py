"""Assignment rules: making, changing and deleting what assigns customers by itself (SM2, SM3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm import record_writes, stored_filters
from crm.access import memberships
from crm.access.memberships import AGENT, DEPARTMENT
from crm.errors import ErrorCode, Path, Refused
from crm.unit_of_work import Act
from crm.validation import Checks, Given, behind, listed, present, room, take_turn, whole
from crm.values import text_values
from db import batch_writes, tables
from db.queries.assignment import rules
from db.queries.catalogue import agents, departments
from db.rows import Row, copied, fresh
from db.tables.enums import AssignmentStrategy
from db.values import wire_format


@dataclass(frozen=True, slots=True)
class _Members:
    """Whom a rule assigns to: agents first, then departments, each in their order."""

    agents: Sequence[bytes] = ()
    departments: Sequence[bytes] = ()


async def create(act: Act, given: Given) -> Row:
    """The last of the rules unless a position is given. Raises Refused and its like."""
    await take_turn(act, "assignment rules")
    known = await rules.every(act.work)
    room(len(known), "assignment rules")
    position = behind(one.position for one in known)
    row = fresh(tables.AssignmentRule, workspace_id=act.workspace_id, position=position)
    members = await _read(act, row, {"name": None, **given}, _Members())
    await record_writes.make(act, "AssignmentRule", row, lambda one: told(one, members))
    await _keep(act, row, members)
    return row


async def update(act: Act, wire_id: str, given: Given) -> Row:
    """Agents and departments that are given replace the present ones. Raises Refused and its like."""
    found = await _one(act, wire_id)
    row, before = copied(found, tables.AssignmentRule), await _members(act, found)
    after = await _read(act, row, given, before)
    was = told(found, before)
    columns = vars(copied(found, tables.AssignmentRule))
    await record_writes.change(act, "AssignmentRule", row, columns, was, lambda one: told(one, after))
    if after != before:
        await batch_writes.clear(act.work, tables.AssignmentRuleMember, "rule_id", [row.id])
        await _keep(act, row, after)
    return row


async def delete(act: Act, wire_id: str) -> Any:
    """Whom it assigned stays assigned. Raises Refused NOT_FOUND."""
    found = await _one(act, wire_id)
    await record_writes.remove(act, "AssignmentRule", found)
    return found


def told(row: Any, members: _Members) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "active": row.active,
        "position": row.position,
        "filter": row.filter,
        "strategy": AssignmentStrategy(row.strategy).name,
        "agents": [AGENT(one) for one in members.agents],
        "departments": [DEPARTMENT(one) for one in members.departments],
    }


async def _one(act: Act, wire_id: str) -> Any:
    """Held."""
    identifier = wire_format.parse("AssignmentRule", wire_id)
    found = await rules.locked(act.work, identifier) if identifier else None
    if found is None:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no assignment rule “{wire_id}” here.", ("id",))
    return found


async def _members(act: Act, found: Any) -> _Members:
    people = (await rules.agents(act.work, [found.id])).get(found.id, [])
    places = (await rules.departments(act.work, [found.id])).get(found.id, [])
    return _Members([row.id for row in people], [row.id for row in places])


async def _read(act: Act, row: Row, given: Given, before: _Members) -> _Members:
    """Takes what was given into the row; returns whom it assigns to then."""
    checks = Checks()
    if "name" in given:
        row.name = checks.read(text_values.needed, given["name"], ("input", "name"), "a name") or ""
    if "active" in given:
        row.active = bool(checks.read(present, given["active"], ("input", "active")))
    if given.get("position") is not None:
        row.position = checks.read(whole, given["position"], ("input", "position"))
    if "filter" in given:
        row.filter = given["filter"] or None
        await checks.wait(stored_filters.check(act, filter=row.filter))
    if "strategy" in given:
        row.strategy = int(checks.read(present, given["strategy"], ("input", "strategy")) or 0)
    people, places = before.agents, before.departments
    if "agents" in given:
        people = await _agents(act, checks, given["agents"], before.agents)
    if "departments" in given:
        places = await _departments(act, checks, given["departments"])
    checks.end()
    return _Members(people, places)


async def _agents(act: Act, checks: Checks, given: Sequence[str] | None, before: Sequence[bytes]) -> list[bytes]:
    """An agent who is not active cannot be named anew; one who was named while he was may stay."""
    path: Path = ("input", "agents")
    wire_ids = checks.read(listed, given, path) or ()
    known = await agents.by_ids(act.work, memberships.parsed(wire_ids, "Agent")) if wire_ids else {}
    named = checks.read(memberships.named, wire_ids, "Agent", known, path) or []
    for identifier in named:
        if not known[identifier].active and identifier not in before:
            place = list(wire_ids).index(AGENT(identifier))
            message = f"{known[identifier].name} is not active any more; choose another agent."
            checks.refuse(ErrorCode.AGENT_INACTIVE, message, (*path, place))
    return named


async def _departments(act: Act, checks: Checks, given: Sequence[str] | None) -> list[bytes]:
    path: Path = ("input", "departments")
    wire_ids = checks.read(listed, given, path) or ()
    known = await departments.by_ids(act.work, memberships.parsed(wire_ids, "Department")) if wire_ids else {}
    return checks.read(memberships.named, wire_ids, "Department", known, path) or []


async def _keep(act: Act, row: Row, members: _Members) -> None:
    each: list[dict[str, Any]] = [{"agent_id": one} for one in members.agents]
    each += [{"department_id": one} for one in members.departments]
    own = {"workspace_id": act.workspace_id, "rule_id": row.id}
    await act.work.insert(
        *(fresh(tables.AssignmentRuleMember, **own, **one, position=place) for place, one in enumerate(each))
    )
