"""Assignment rules: creating, changing and deleting them (SM2, SM3)."""

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
class _RuleMembers:
    """The assignees of a rule: agents first, then departments, each in order."""

    agents: Sequence[bytes] = ()
    departments: Sequence[bytes] = ()


async def create(unit: UnitOfWork, data: InputData) -> Row:
    """Creates a rule, as the last one unless a position is given. Raises InputError and its subclasses."""
    await lock_by_name(unit, "assignment rules")
    existing = await rules.all_rules(unit.transaction)
    check_list_has_room(len(existing), "assignment rules")
    position = next_position(record.position for record in existing)
    row = new_row(tables.AssignmentRule, workspace_id=unit.workspace_id, position=position)
    members = await _read_input(unit, row, {"name": None, **data}, _RuleMembers())
    await record_writes.create_record(unit, "AssignmentRule", row, lambda record: log_snapshot(record, members))
    await _insert_members(unit, row, members)
    return row


async def update(unit: UnitOfWork, wire_id: str, data: InputData) -> Row:
    """Updates a rule. Given agents and departments replace the earlier ones. Raises InputError and its subclasses."""
    stored_rule = await _load_rule(unit, wire_id)
    row, before = copy_row(stored_rule, tables.AssignmentRule), await _load_members(unit, stored_rule)
    after = await _read_input(unit, row, data, before)
    log_before = log_snapshot(stored_rule, before)
    columns = vars(copy_row(stored_rule, tables.AssignmentRule))
    await record_writes.update_record(
        unit, "AssignmentRule", row, columns, log_before, lambda record: log_snapshot(record, after)
    )
    if after != before:
        await batch_writes.delete_where_in(unit.transaction, tables.AssignmentRuleMember, "rule_id", [row.id])
        await _insert_members(unit, row, after)
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Deletes a rule. Customers that it assigned stay assigned. Raises InputError NOT_FOUND."""
    rule = await _load_rule(unit, wire_id)
    await record_writes.delete_record(unit, "AssignmentRule", rule)
    return rule


def log_snapshot(row: Any, members: _RuleMembers) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "active": row.active,
        "position": row.position,
        "filter": row.filter,
        "strategy": AssignmentStrategy(row.strategy).name,
        "agents": [encode_agent_id(identifier) for identifier in members.agents],
        "departments": [encode_department_id(identifier) for identifier in members.departments],
    }


async def _load_rule(unit: UnitOfWork, wire_id: str) -> Any:
    """The locked rule."""
    identifier = wire_format.decode_id("AssignmentRule", wire_id)
    rule = await rules.lock_by_ids(unit.transaction, identifier) if identifier else None
    if rule is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no assignment rule “{wire_id}” in this workspace.", ("id",))
    return rule


async def _load_members(unit: UnitOfWork, rule: Any) -> _RuleMembers:
    agent_rows = (await rules.agents(unit.transaction, [rule.id])).get(rule.id, [])
    department_rows = (await rules.departments(unit.transaction, [rule.id])).get(rule.id, [])
    return _RuleMembers([row.id for row in agent_rows], [row.id for row in department_rows])


async def _read_input(unit: UnitOfWork, row: Row, data: InputData, before: _RuleMembers) -> _RuleMembers:
    """Stores the input in the row; returns the resulting assignees."""
    errors = ErrorCollector()
    if "name" in data:
        row.name = errors.check(text_values.read_required_text, data["name"], ("input", "name"), "a name") or ""
    if "active" in data:
        row.active = bool(errors.check(require_value, data["active"], ("input", "active")))
    if data.get("position") is not None:
        row.position = errors.check(check_integer, data["position"], ("input", "position"))
    if "filter" in data:
        row.filter = data["filter"] or None
        await errors.check_async(stored_filters.check_stored_filter(unit, filter=row.filter))
    if "strategy" in data:
        row.strategy = int(errors.check(require_value, data["strategy"], ("input", "strategy")) or 0)
    agent_ids, department_ids = before.agents, before.departments
    if "agents" in data:
        agent_ids = await _check_agents(unit, errors, data["agents"], before.agents)
    if "departments" in data:
        department_ids = await _check_departments(unit, errors, data["departments"])
    errors.raise_if_any()
    return _RuleMembers(agent_ids, department_ids)


async def _check_agents(
    unit: UnitOfWork, errors: ErrorCollector, requested: Sequence[str] | None, before: Sequence[bytes]
) -> list[bytes]:
    """Checks the agents. An inactive agent cannot be added, but one who is already in the rule may stay."""
    path: Path = ("input", "agents")
    wire_ids = errors.check(check_list_length, requested, path) or ()
    agents_by_id = await agents.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Agent")) if wire_ids else {}
    agent_ids = errors.check(memberships.decode_known_ids, wire_ids, "Agent", agents_by_id, path) or []
    for identifier in agent_ids:
        if not agents_by_id[identifier].active and identifier not in before:
            index = list(wire_ids).index(encode_agent_id(identifier))
            message = f"{agents_by_id[identifier].name} is not active any more; choose another agent."
            errors.add(ErrorCode.AGENT_INACTIVE, message, (*path, index))
    return agent_ids


async def _check_departments(unit: UnitOfWork, errors: ErrorCollector, requested: Sequence[str] | None) -> list[bytes]:
    path: Path = ("input", "departments")
    wire_ids = errors.check(check_list_length, requested, path) or ()
    departments_by_id = (
        await departments.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Department")) if wire_ids else {}
    )
    return errors.check(memberships.decode_known_ids, wire_ids, "Department", departments_by_id, path) or []


async def _insert_members(unit: UnitOfWork, row: Row, members: _RuleMembers) -> None:
    member_columns: list[dict[str, Any]] = [{"agent_id": columns} for columns in members.agents]
    member_columns += [{"department_id": columns} for columns in members.departments]
    own = {"workspace_id": unit.workspace_id, "rule_id": row.id}
    await unit.transaction.insert(
        *(
            new_row(tables.AssignmentRuleMember, **own, **columns, position=position)
            for position, columns in enumerate(member_columns)
        )
    )
