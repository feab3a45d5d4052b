"""Assignment rules and their agents and departments."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.statements import any_of, group_rows, in_workspace, prepare

_EVERY = prepare(
    select(tables.AssignmentRule)
    .where(in_workspace(tables.AssignmentRule))
    .order_by(col(tables.AssignmentRule.position), col(tables.AssignmentRule.id))
)
_BY_IDS = prepare(
    select(tables.AssignmentRule).where(in_workspace(tables.AssignmentRule), any_of(tables.AssignmentRule.id, "ids"))
)
_LOCKED = prepare(
    select(tables.AssignmentRule)
    .where(in_workspace(tables.AssignmentRule), col(tables.AssignmentRule.id) == bindparam("rule_id"))
    .with_for_update()
)
_AGENTS = prepare(
    select(tables.AssignmentRuleMember.rule_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.AssignmentRuleMember.agent_id)
    .where(in_workspace(tables.Agent, tables.AssignmentRuleMember), any_of(tables.AssignmentRuleMember.rule_id, "ids"))
    .order_by(col(tables.AssignmentRuleMember.position))
)
_DEPARTMENTS = prepare(
    select(tables.AssignmentRuleMember.rule_id, tables.Department)
    .join(tables.Department, col(tables.Department.id) == tables.AssignmentRuleMember.department_id)
    .where(
        in_workspace(tables.Department, tables.AssignmentRuleMember), any_of(tables.AssignmentRuleMember.rule_id, "ids")
    )
    .order_by(col(tables.AssignmentRuleMember.position))
)


async def all_rules(session: Session) -> list[tables.AssignmentRule]:
    """All rules in the order of evaluation."""
    return await session.fetch_all(_EVERY)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.AssignmentRule]:
    return {row.id: row for row in await session.fetch_all(_BY_IDS, ids=ids)}


async def agents(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """The agents of each rule in order, including inactive ones."""
    return group_rows(await session.fetch_all(_AGENTS, ids=ids), "rule_id")


async def departments(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Department]]:
    """The departments of each rule in order."""
    return group_rows(await session.fetch_all(_DEPARTMENTS, ids=ids), "rule_id")


async def lock_by_ids(transaction: Transaction, rule_id: bytes) -> Any:
    """Locks the rule until the end of the transaction."""
    return await transaction.fetch_first(_LOCKED, rule_id=rule_id)
