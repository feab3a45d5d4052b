"""Reclaiming: customers whom nobody looked after for long go back to the pool (SB22), VIPs never."""

from collections.abc import Sequence

from crm.access.permissions import Viewer
from crm.assignment import stages
from crm.bulk import chunk as each
from crm.customers.loaded_customer import State
from crm.jobs import submit
from crm.jobs.handlers import Item, Result, Task, verb
from crm.jobs.submit import Options
from crm.jobs.targets import Found
from crm.unit_of_work import UnitOfWork, run_unit_of_work
from db.engine import Database
from db.queries.assignment import idle_customers
from db.rows import Row
from db.tables.enums import ActorKind, CustomerStage, JobKind, Permission, RelationshipStatus

MOST = 1_000
"""Customers of one run; the next one takes the others."""

_DAY = 24 * 60 * 60 * 1000


@verb(JobKind.RECLAIM, Permission.CUSTOMER_ASSIGN)
async def reclaim(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """Whoever was spoken to in the meantime stays."""
    chunk = await each.load(unit, task, items)
    each.judged(unit, chunk, foreign=True)
    before = task.arguments["before"]

    def take(state: State, item: Item) -> bool:
        row = state.row
        idle = max(row.owned_since or 0, row.last_interaction_at or 0) < before
        if not idle or row.stage != CustomerStage.FOLLOW_UP or row.relationship_status == RelationshipStatus.VIP:
            return False
        return stages.release(unit, state, CustomerStage.POOL)

    each.step(chunk, take)
    return await each.write(unit, chunk)


async def run(database: Database, workspace_id: int, *, now: int) -> Row | None:
    """One run in a workspace; None where it does not reclaim, or there is nobody idle."""
    viewer = Viewer(workspace_id, ActorKind.SYSTEM, b"", frozenset(Permission))
    return await run_unit_of_work(database, viewer, _run, now=now)


async def _run(unit: UnitOfWork) -> Row | None:
    settings = await unit.settings()
    if not settings.pool_auto_reclaim:
        return None
    before = unit.now - settings.pool_idle_days * _DAY
    idle = await idle_customers.idle(unit.transaction, before, MOST)
    if not idle:
        return None
    found = Found({}, [Item(row, one) for row, one in enumerate(idle)])
    wanted = Options(label=f"Idle for {settings.pool_idle_days} days")
    return await submit.start(unit, JobKind.RECLAIM, {"before": before}, found, wanted)
