"""Agents and the exceptions to their permissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.paging import Page, Window, newest_first
from db.reading import among, grouped, here, prepared

_BY_IDS = prepared(select(tables.Agent).where(here(tables.Agent), among(tables.Agent.id, "ids")))
_COUNT = prepared(select(func.count().label("count")).select_from(tables.Agent).where(here(tables.Agent)))
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


def _all() -> Select[Any]:
    return select(tables.Agent).where(here(tables.Agent))


async def page(session: Session, window: Window) -> Page:
    return await newest_first(session, _all, window)


async def count(session: Session) -> int:
    found: int = (await session.rows(_COUNT))[0].count
    return found


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Agent]:
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}


async def permissions_by_agent(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.AgentPermission]]:
    """The exceptions to the role's permissions."""
    return grouped(await session.rows(_EXCEPTIONS, ids=ids), "agent_id")


async def by_department(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """Who works in each department, by name."""
    return grouped(await session.rows(_BY_DEPARTMENT, ids=ids), "department_id")


async def friends_by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Agent]]:
    """Whose WeChat friend each customer is, by name."""
    return grouped(await session.rows(_FRIENDS, ids=ids), "customer_id")
