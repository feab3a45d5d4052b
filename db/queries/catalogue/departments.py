"""Departments: a tree with agents."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.statements import any_of, group_rows, in_workspace, prepare

_ALL = prepare(
    select(tables.Department)
    .where(in_workspace(tables.Department))
    .order_by(col(tables.Department.name_key), col(tables.Department.id))
)
_BY_IDS = prepare(select(tables.Department).where(in_workspace(tables.Department), any_of(tables.Department.id, "ids")))
_CHILDREN = prepare(
    select(tables.Department)
    .where(in_workspace(tables.Department), any_of(tables.Department.parent_id, "ids"))
    .order_by(col(tables.Department.name_key), col(tables.Department.id))
)
_BY_AGENT = prepare(
    select(tables.AgentDepartment.agent_id, tables.Department)
    .join(tables.Department, col(tables.Department.id) == tables.AgentDepartment.department_id)
    .where(in_workspace(tables.Department, tables.AgentDepartment), any_of(tables.AgentDepartment.agent_id, "ids"))
    .order_by(col(tables.AgentDepartment.position), col(tables.Department.id))
)


async def all_departments(session: Session) -> list[tables.Department]:
    """All departments of the workspace, sorted by name."""
    return await session.fetch_all(_ALL)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Department]:
    return {row.id: row for row in await session.fetch_pruned(_BY_IDS, ids=ids)}


async def children(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """The direct children of each department, sorted by name."""
    return group_rows(await session.fetch_all(_CHILDREN, ids=ids), "parent_id")


async def by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """The departments of each agent, the primary department first."""
    return group_rows(await session.fetch_pruned(_BY_AGENT, ids=ids), "agent_id")


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCKED = prepare(
    select(tables.Department)
    .where(in_workspace(tables.Department), col(tables.Department.id) == bindparam("department_id"))
    .with_for_update()
)
_CUSTOMERS = prepare(
    select(func.count().label("count"))
    .select_from(tables.Customer)
    .where(in_workspace(tables.Customer), col(tables.Customer.department_id) == bindparam("department_id"))
)
_RULES = prepare(
    select(tables.AssignmentRule.name)
    .join(tables.AssignmentRuleMember, col(tables.AssignmentRuleMember.rule_id) == tables.AssignmentRule.id)
    .where(
        in_workspace(tables.AssignmentRule, tables.AssignmentRuleMember),
        col(tables.AssignmentRuleMember.department_id) == bindparam("department_id"),
    )
    .order_by(col(tables.AssignmentRule.position), col(tables.AssignmentRule.id))
)
_MEMBERS = prepare(
    select(tables.AgentDepartment.department_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.AgentDepartment.agent_id)
    .where(
        in_workspace(tables.Agent, tables.AgentDepartment),
        any_of(tables.AgentDepartment.department_id, "ids"),
        col(tables.Agent.active).is_(True),
    )
    .order_by(col(tables.Agent.name_key), col(tables.Agent.id))
)


async def lock_by_ids(transaction: Transaction, department_id: bytes) -> Any:
    """Locks the department until the end of the transaction, so that nothing is added to it."""
    return await transaction.fetch_first(_LOCKED, department_id=department_id)


async def customer_count(session: Session, department_id: bytes) -> int:
    """The number of its customers, including archived and invisible ones."""
    found: int = (await session.fetch_all(_CUSTOMERS, department_id=department_id))[0].count
    return found


async def assignment_rules_of(session: Session, department_id: bytes) -> list[str]:
    """The names of the assignment rules that assign to it, in order."""
    return [row.name for row in await session.fetch_all(_RULES, department_id=department_id)]


async def active_members(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """The active agents of each department, sorted by name."""
    return group_rows(await session.fetch_all(_MEMBERS, ids=ids), "department_id")
