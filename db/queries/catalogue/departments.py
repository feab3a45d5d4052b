"""Departments: a tree, and who works where."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session, Work
from db.statements import among, grouped, here, prepared

_ALL = prepared(
    select(tables.Department)
    .where(here(tables.Department))
    .order_by(col(tables.Department.name_key), col(tables.Department.id))
)
_BY_IDS = prepared(select(tables.Department).where(here(tables.Department), among(tables.Department.id, "ids")))
_CHILDREN = prepared(
    select(tables.Department)
    .where(here(tables.Department), among(tables.Department.parent_id, "ids"))
    .order_by(col(tables.Department.name_key), col(tables.Department.id))
)
_BY_AGENT = prepared(
    select(tables.AgentDepartment.agent_id, tables.Department)
    .join(tables.Department, col(tables.Department.id) == tables.AgentDepartment.department_id)
    .where(here(tables.Department, tables.AgentDepartment), among(tables.AgentDepartment.agent_id, "ids"))
    .order_by(col(tables.AgentDepartment.position), col(tables.Department.id))
)


async def every(session: Session) -> list[tables.Department]:
    """All departments of the workspace, by name."""
    return await session.rows(_ALL)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Department]:
    return {row.id: row for row in await session.lean(_BY_IDS, ids=ids)}


async def children(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """The departments right below each, by name."""
    return grouped(await session.rows(_CHILDREN, ids=ids), "parent_id")


async def by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """Where each agent works, his first department first."""
    return grouped(await session.lean(_BY_AGENT, ids=ids), "agent_id")


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCKED = prepared(
    select(tables.Department)
    .where(here(tables.Department), col(tables.Department.id) == bindparam("department_id"))
    .with_for_update()
)
_CUSTOMERS = prepared(
    select(func.count().label("count"))
    .select_from(tables.Customer)
    .where(here(tables.Customer), col(tables.Customer.department_id) == bindparam("department_id"))
)
_RULES = prepared(
    select(tables.AssignmentRule.name)
    .join(tables.AssignmentRuleMember, col(tables.AssignmentRuleMember.rule_id) == tables.AssignmentRule.id)
    .where(
        here(tables.AssignmentRule, tables.AssignmentRuleMember),
        col(tables.AssignmentRuleMember.department_id) == bindparam("department_id"),
    )
    .order_by(col(tables.AssignmentRule.position), col(tables.AssignmentRule.id))
)
_MEMBERS = prepared(
    select(tables.AgentDepartment.department_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.AgentDepartment.agent_id)
    .where(
        here(tables.Agent, tables.AgentDepartment),
        among(tables.AgentDepartment.department_id, "ids"),
        col(tables.Agent.active).is_(True),
    )
    .order_by(col(tables.Agent.name_key), col(tables.Agent.id))
)


async def locked(work: Work, department_id: bytes) -> Any:
    """Nobody puts anything into it until the transaction ends."""
    return await work.first(_LOCKED, department_id=department_id)


async def customer_count(session: Session, department_id: bytes) -> int:
    """How many customers belong to it, archived ones and those out of sight as well."""
    found: int = (await session.rows(_CUSTOMERS, department_id=department_id))[0].count
    return found


async def rules(session: Session, department_id: bytes) -> list[str]:
    """The names of the assignment rules that assign to it, in their order."""
    return [row.name for row in await session.rows(_RULES, department_id=department_id)]


async def active_members(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """Who of the active agents works in each, by name."""
    return grouped(await session.rows(_MEMBERS, ids=ids), "department_id")
