"""Claiming from the pool: how many customers an agent may still take for himself, and for whom he has to wait."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm.access.permissions import Viewer
from db import tables
from db.engine import Session
from db.queries import workspaces
from db.queries.assignment import claims
from db.queries.catalogue import agents
from db.queries.customers import customers
from db.tables.enums import CustomerStage, Permission

DAY: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class ClaimAllowance:
    """What decides on a claim beside the customer: whether there is `room` for one more today, and the milliseconds
    for which a former owner waits."""

    has_room: bool
    cooldown_ms: int
    now: int

    def must_wait(self, row: Any, agent_id: bytes | None) -> bool:
        """Whether the agent gave the customer back so lately that he has to leave him to others. A department's queue
        makes nobody wait."""
        return is_cooling_down(row, agent_id, self.cooldown_ms, self.now)


NO_CLAIMS: Final = ClaimAllowance(has_room=False, cooldown_ms=0, now=0)


def is_cooling_down(row: Any, agent_id: bytes | None, cooldown: int, now: int) -> bool:
    """The same for a cooldown of so many milliseconds."""
    back = row.stage == CustomerStage.POOL and row.previous_owner_id == agent_id
    return bool(back and cooldown and (row.released_at or 0) + cooldown > now)


def start_of_day(settings: tables.Workspace, now: int) -> int:
    """When the workspace's day began."""
    here = datetime.fromtimestamp(now / 1000, ZoneInfo(settings.timezone))
    return int(here.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


async def claim_allowance(session: Session, viewer: Viewer, now: int) -> ClaimAllowance:
    """What the viewer may claim now."""
    settings = await workspaces.workspace_settings(session)
    if viewer.agent_id is None or not viewer.has_permission(Permission.CUSTOMER_CLAIM) or settings is None:
        return NO_CLAIMS
    agent = (await agents.by_ids(session, [viewer.agent_id])).get(viewer.agent_id)
    if agent is None or not agent.active:
        return NO_CLAIMS
    daily = settings.pool_daily_claim_limit
    most = settings.max_customers_per_agent if agent.max_customers is None else agent.max_customers
    spent = daily is not None and await claims.count_since(session, agent.id, start_of_day(settings, now)) >= daily
    full = most is not None and (await customers.owned_counts(session, [agent.id])).get(agent.id, 0) >= most
    return ClaimAllowance(
        has_room=not spent and not full, cooldown_ms=settings.pool_reclaim_cooldown_days * DAY, now=now
    )
