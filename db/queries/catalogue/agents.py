"""Agents and their permission exceptions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.paging.nested_pages import ParentTable
from db.statements import any_of, group_rows, in_workspace, prepare
from db.tables.enums import Role

_BY_IDS = prepare(select(tables.Agent).where(in_workspace(tables.Agent), any_of(tables.Agent.id, "ids")))
_EXCEPTIONS = prepare(
    select(tables.AgentPermission).where(
        in_workspace(tables.AgentPermission), any_of(tables.AgentPermission.agent_id, "ids")
    )
)
_BY_DEPARTMENT = prepare(
    select(tables.AgentDepartment.department_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.AgentDepartment.agent_id)
    .where(in_workspace(tables.Agent, tables.AgentDepartment), any_of(tables.AgentDepartment.department_id, "ids"))
    .order_by(col(tables.Agent.name_key), col(tables.Agent.id))
)
_FRIENDS = prepare(
    select(tables.WechatFriend.customer_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.WechatFriend.agent_id)
    .where(in_workspace(tables.Agent, tables.WechatFriend), any_of(tables.WechatFriend.customer_id, "ids"))
    .order_by(col(tables.Agent.name_key), col(tables.Agent.id))
)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Agent]:
    return {row.id: row for row in await session.fetch_pruned(_BY_IDS, ids=ids)}


async def permissions_by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.AgentPermission]]:
    """The permission exceptions of each agent."""
    return group_rows(await session.fetch_all(_EXCEPTIONS, ids=ids), "agent_id")


async def by_department(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """The agents of each department, sorted by name."""
    return group_rows(await session.fetch_pruned(_BY_DEPARTMENT, ids=ids), "department_id")


async def friends_by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """The WeChat friends of each customer, sorted by name."""
    return group_rows(await session.fetch_pruned(_FRIENDS, ids=ids), "customer_id")


def _customers(found: Select[Any], row: Any) -> Select[Any]:
    return found.where(row.owner_id == tables.Agent.id)


AGENTS_AS_PARENTS = ParentTable(tables.Agent, _customers)
"""The customers of each agent."""


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_NAMED = prepare(
    select(tables.Agent)
    .where(
        in_workspace(tables.Agent), or_(any_of(tables.Agent.id, "ids"), any_of(tables.Agent.email_key, "email_keys"))
    )
    .with_for_update(read=True, key_share=True)
)
_LOCKED = prepare(
    select(tables.Agent)
    .where(in_workspace(tables.Agent), any_of(tables.Agent.id, "ids"))
    .order_by(col(tables.Agent.id))
    .with_for_update(key_share=True)
)
_ADMINISTRATORS = prepare(
    select(func.count().label("count"))
    .select_from(tables.Agent)
    .where(in_workspace(tables.Agent), col(tables.Agent.active).is_(True), col(tables.Agent.role) == Role.ADMIN.value)
)
_PLACES = prepare(
    select(tables.AgentDepartment)
    .where(in_workspace(tables.AgentDepartment), any_of(tables.AgentDepartment.agent_id, "ids"))
    .order_by(col(tables.AgentDepartment.position))
)


async def ids_by_email(transaction: Transaction, ids: Sequence[bytes], email_keys: Sequence[str]) -> list[tables.Agent]:
    """The agents with these ids or folded e-mail addresses, locked until the end of the transaction."""
    return await transaction.fetch_all(_NAMED, ids=ids, email_keys=email_keys)


async def lock_by_ids(transaction: Transaction, ids: Sequence[bytes]) -> Mapping[bytes, tables.Agent]:
    """Locks the agents until the end of the transaction, so that nobody else assigns customers to them."""
    return {row.id: row for row in await transaction.fetch_all(_LOCKED, ids=ids)}


async def count_active_administrators(session: Session) -> int:
    """The number of active administrators."""
    found: int = (await session.fetch_all(_ADMINISTRATORS))[0].count
    return found


async def departments_by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.AgentDepartment]]:
    """The departments of each agent, the primary department first."""
    return group_rows(await session.fetch_all(_PLACES, ids=ids), "agent_id")
