"""Agents and the exceptions to their permissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session, Work
from db.paging.nested_pages import Parents
from db.statements import among, grouped, here, prepared
from db.tables.enums import Role

_BY_IDS = prepared(select(tables.Agent).where(here(tables.Agent), among(tables.Agent.id, "ids")))
_EXCEPTIONS = prepared(
    select(tables.AgentPermission).where(here(tables.AgentPermission), among(tables.AgentPermission.agent_id, "ids"))
)
_BY_DEPARTMENT = prepared(
    select(tables.AgentDepartment.department_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.AgentDepartment.agent_id)
    .where(here(tables.Agent, tables.AgentDepartment), among(tables.AgentDepartment.department_id, "ids"))
    .order_by(col(tables.Agent.name_key), col(tables.Agent.id))
)
_FRIENDS = prepared(
    select(tables.WechatFriend.customer_id, tables.Agent)
    .join(tables.Agent, col(tables.Agent.id) == tables.WechatFriend.agent_id)
    .where(here(tables.Agent, tables.WechatFriend), among(tables.WechatFriend.customer_id, "ids"))
    .order_by(col(tables.Agent.name_key), col(tables.Agent.id))
)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Agent]:
    return {row.id: row for row in await session.lean(_BY_IDS, ids=ids)}


async def permissions_by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.AgentPermission]]:
    """The exceptions to the role's permissions."""
    return grouped(await session.rows(_EXCEPTIONS, ids=ids), "agent_id")


async def by_department(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """Who works in each department, by name."""
    return grouped(await session.lean(_BY_DEPARTMENT, ids=ids), "department_id")


async def friends_by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """Whose WeChat friend each customer is, by name."""
    return grouped(await session.lean(_FRIENDS, ids=ids), "customer_id")


def _customers(found: Select[Any], row: Any) -> Select[Any]:
    return found.where(row.owner_id == tables.Agent.id)


CUSTOMERS = Parents(tables.Agent, _customers)
"""The customers of each."""


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_NAMED = prepared(
    select(tables.Agent)
    .where(here(tables.Agent), or_(among(tables.Agent.id, "ids"), among(tables.Agent.email_key, "email_keys")))
    .with_for_update(read=True, key_share=True)
)
_LOCKED = prepared(
    select(tables.Agent)
    .where(here(tables.Agent), among(tables.Agent.id, "ids"))
    .order_by(col(tables.Agent.id))
    .with_for_update(key_share=True)
)
_ADMINISTRATORS = prepared(
    select(func.count().label("count"))
    .select_from(tables.Agent)
    .where(here(tables.Agent), col(tables.Agent.active).is_(True), col(tables.Agent.role) == Role.ADMIN.value)
)
_PLACES = prepared(
    select(tables.AgentDepartment)
    .where(here(tables.AgentDepartment), among(tables.AgentDepartment.agent_id, "ids"))
    .order_by(col(tables.AgentDepartment.position))
)


async def named(work: Work, ids: Sequence[bytes], email_keys: Sequence[str]) -> list[tables.Agent]:
    """The agents with these ids or folded addresses; they stay until the transaction ends."""
    return await work.rows(_NAMED, ids=ids, email_keys=email_keys)


async def locked(work: Work, ids: Sequence[bytes]) -> Mapping[bytes, tables.Agent]:
    """Held until the transaction ends: nobody else gives them customers."""
    return {row.id: row for row in await work.rows(_LOCKED, ids=ids)}


async def administrators(session: Session) -> int:
    """How many of the active agents are."""
    found: int = (await session.rows(_ADMINISTRATORS))[0].count
    return found


async def places(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.AgentDepartment]]:
    """Where each agent works, his first department first."""
    return grouped(await session.rows(_PLACES, ids=ids), "agent_id")
