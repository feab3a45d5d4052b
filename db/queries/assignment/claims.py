"""Claims of customers by agents."""

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.statements import in_workspace, prepare

_SINCE = prepare(
    select(func.count().label("count"))
    .select_from(tables.Claim)
    .where(
        in_workspace(tables.Claim),
        col(tables.Claim.agent_id) == bindparam("agent_id"),
        col(tables.Claim.at) >= bindparam("since"),
    )
)


async def count_since(session: Session, agent_id: bytes, moment: int) -> int:
    """The number of claims of the agent since that time."""
    found: int = (await session.fetch_all(_SINCE, agent_id=agent_id, since=moment))[0].count
    return found
