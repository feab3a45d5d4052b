"""Assignment rules, and whom they assign to."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session, Work
from db.statements import among, grouped, here, prepared

_EVERY = prepared(
    select(tables.AssignmentRule)
    .where(here(tables.AssignmentRule))
    .order_by(col(tables.AssignmentRule.position), col(tables.AssignmentRule.id))
)
_BY_IDS = prepared(
    select(tables.AssignmentRule).where(here(tables.AssignmentRule), among(tables.AssignmentRule.id, "ids"))
)
_LOCKED = prepared(
    select(tables.AssignmentRule)
    .where(here(tables.AssignmentRule), col(tables.AssignmentRule.id) == bindparam("rule_id"))
    .with_for_update()
)
_AGENTS = prepared(
    select(tables.AssignmentRuleMember.rule_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.AssignmentRuleMember.agent_id)
    .where(here(tables.Agent, tables.AssignmentRuleMember), among(tables.AssignmentRuleMember.rule_id, "ids"))
    .order_by(col(tables.AssignmentRuleMember.position))
)
_DEPARTMENTS = prepared(
    select(tables.AssignmentRuleMember.rule_id, tables.Department)
    .join(tables.Department, col(tables.Department.id) == tables.AssignmentRuleMember.department_id)
    .where(here(tables.Department, tables.AssignmentRuleMember), among(tables.AssignmentRuleMember.rule_id, "ids"))
    .order_by(col(tables.AssignmentRuleMember.position))
)


async def every(session: Session) -> list[tables.AssignmentRule]:
    """In the order in which they are tried."""
    return await session.rows(_EVERY)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.AssignmentRule]:
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}


async def agents(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """Whom each rule names, in its order, those who are not active any more as well."""
    return grouped(await session.rows(_AGENTS, ids=ids), "rule_id")


async def departments(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """Which departments each rule names, in its order."""
    return grouped(await session.rows(_DEPARTMENTS, ids=ids), "rule_id")


async def locked(work: Work, rule_id: bytes) -> Any:
    """Nobody else changes it, or takes its next turn, until the transaction ends."""
    return await work.first(_LOCKED, rule_id=rule_id)
