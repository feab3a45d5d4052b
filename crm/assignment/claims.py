"""Claiming from the pool: the agent's remaining claims, and the cooldown for former owners."""

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
from db.values.time_units import MS_PER_DAY


@dataclass(frozen=True, slots=True)
class ClaimAllowance:
    """The limits of a claim that do not depend on the customer: whether the agent has room for one more today, and the
    cooldown for former owners in milliseconds."""

    has_room: bool
    cooldown_ms: int
    now: int

    def must_wait(self, row: Any, agent_id: bytes | None) -> bool:
        """Whether the agent released the customer so recently that they have to wait. There is no wait in a
        department's queue."""
        return is_cooling_down(row, agent_id, self.cooldown_ms, self.now)


NO_CLAIMS: Final = ClaimAllowance(has_room=False, cooldown_ms=0, now=0)


def is_cooling_down(row: Any, agent_id: bytes | None, cooldown: int, now: int) -> bool:
    """Whether the agent released the customer to the pool less than `cooldown` milliseconds ago."""
    was_owner = row.stage == CustomerStage.POOL and row.previous_owner_id == agent_id
    return bool(was_owner and cooldown and (row.released_at or 0) + cooldown > now)


def start_of_day(settings: tables.Workspace, now: int) -> int:
    """The start of the workspace's current day."""
    local_time = datetime.fromtimestamp(now / 1000, ZoneInfo(settings.timezone))
    return int(local_time.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


async def claim_allowance(session: Session, viewer: Viewer, now: int) -> ClaimAllowance:
    """The viewer's current allowance."""
    settings = await workspaces.workspace_settings(session)
    if viewer.agent_id is None or not viewer.has_permission(Permission.CUSTOMER_CLAIM) or settings is None:
        return NO_CLAIMS
    agent = (await agents.by_ids(session, [viewer.agent_id])).get(viewer.agent_id)
    if agent is None or not agent.active:
        return NO_CLAIMS
    daily_limit = settings.pool_daily_claim_limit
    max_customers = settings.max_customers_per_agent if agent.max_customers is None else agent.max_customers
    is_limit_reached = (
        daily_limit is not None
        and await claims.count_since(session, agent.id, start_of_day(settings, now)) >= daily_limit
    )
    is_full = (
        max_customers is not None
        and (await customers.owned_counts(session, [agent.id])).get(agent.id, 0) >= max_customers
    )
    return ClaimAllowance(
        has_room=not is_limit_reached and not is_full,
        cooldown_ms=settings.pool_reclaim_cooldown_days * MS_PER_DAY,
        now=now,
    )
