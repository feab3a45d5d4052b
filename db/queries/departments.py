"""Departments: a tree, and who works where."""

from collections.abc import Mapping, Sequence

from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.reading import among, grouped, here, prepared

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
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}


async def children(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """The departments right below each, by name."""
    return grouped(await session.rows(_CHILDREN, ids=ids), "parent_id")


async def by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """Where each agent works, his first department first."""
    return grouped(await session.rows(_BY_AGENT, ids=ids), "agent_id")
