"""Idle customers, and the workspaces that reclaim them."""

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.statements import in_workspace, prepare
from db.tables.column_types import Moment
from db.tables.enums import CustomerStage, RelationshipStatus

_BEFORE = bindparam("before", type_=Moment)
_IDLE = prepare(
    select(tables.Customer.id)
    .where(
        in_workspace(tables.Customer),
        col(tables.Customer.stage) == CustomerStage.FOLLOW_UP.value,
        col(tables.Customer.archived_at).is_(None),
        col(tables.Customer.relationship_status) != RelationshipStatus.VIP.value,
        func.coalesce(col(tables.Customer.owned_since), 0) < _BEFORE,
        func.coalesce(col(tables.Customer.last_interaction_at), 0) < _BEFORE,
    )
    .order_by(col(tables.Customer.id))
    .limit(bindparam("size"))
)
_RECLAIMING = prepare(
    select(col(tables.Workspace.workspace_id)).where(col(tables.Workspace.pool_auto_reclaim).is_(True))
)


async def idle_customer_ids(session: Session, before: int, size: int) -> list[bytes]:
    """Owned customers without an interaction since that time, oldest first, without VIPs."""
    return [row.id for row in await session.fetch_all(_IDLE, before=before, size=size)]


async def workspaces_with_reclaim(session: Session) -> list[int]:
    """The workspaces with automatic reclaim."""
    return [row.workspace_id for row in await session.fetch_all(_RECLAIMING)]
