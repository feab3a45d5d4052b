"""Reclaiming: customers that their agents have neglected for long return to the pool (SB22). VIPs stay."""

from collections.abc import Sequence

from crm.access.permissions import Viewer
from crm.assignment import stages
from crm.bulk import chunk as each
from crm.customers.loaded_customer import LoadedCustomer
from crm.jobs import submit
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.jobs.submit import JobOptions
from crm.jobs.targets import Target
from crm.unit_of_work import UnitOfWork, run_unit_of_work
from db.engine import Database
from db.queries.assignment import idle_customers
from db.rows import Row
from db.tables.enums import ActorKind, CustomerStage, JobKind, Permission, RelationshipStatus
from db.values.time_units import MS_PER_DAY

MAX_RECLAIMED_CUSTOMERS = 1_000
"""Maximum number of customers of one run; the next run reclaims the rest."""


@job_handler(JobKind.RECLAIM, Permission.CUSTOMER_ASSIGN)
async def reclaim_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Releases the idle customers to the pool. Customers with a recent interaction stay with their agent."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, foreign=True)
    before = task.arguments["before"]

    def release(state: LoadedCustomer, item: JobItem) -> bool:
        row = state.row
        is_idle = max(row.owned_since or 0, row.last_interaction_at or 0) < before
        if not is_idle or row.stage != CustomerStage.FOLLOW_UP or row.relationship_status == RelationshipStatus.VIP:
            return False
        return stages.release(unit, state, CustomerStage.POOL)

    each.apply_step(chunk, release)
    return await each.write_chunk(unit, chunk)


async def start_reclaim(database: Database, workspace_id: int, *, now: int) -> Row | None:
    """Starts one run in a workspace; None if the workspace does not reclaim or no customer is idle."""
    viewer = Viewer(workspace_id, ActorKind.SYSTEM, b"", frozenset(Permission))
    return await run_unit_of_work(database, viewer, _run, now=now)


async def _run(unit: UnitOfWork) -> Row | None:
    settings = await unit.settings()
    if not settings.pool_auto_reclaim:
        return None
    before = unit.now - settings.pool_idle_days * MS_PER_DAY
    idle_ids = await idle_customers.idle_customer_ids(unit.transaction, before, MAX_RECLAIMED_CUSTOMERS)
    if not idle_ids:
        return None
    target = Target({}, [JobItem(row, identifier) for row, identifier in enumerate(idle_ids)])
    options = JobOptions(label=f"Idle for {settings.pool_idle_days} days")
    return await submit.submit_job(unit, JobKind.RECLAIM, {"before": before}, target, options)
