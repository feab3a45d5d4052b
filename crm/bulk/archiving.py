"""Archiving, unarchiving, blocking, unblocking and deleting many customers (EM16-EM19, EM23, SB20-SB23)."""

from collections.abc import Sequence

from crm.activities import interactions
from crm.bulk import chunk as each
from crm.customers import records
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db import tables
from db.rows import new_row
from db.tables.enums import BulkDeletePolicy, CustomerStage, JobKind, Outcome, Permission


@job_handler(JobKind.ARCHIVE, Permission.CUSTOMER_ARCHIVE)
async def archive_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Everything stays as it is, out of sight."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, archived=True)

    def put_away(state: LoadedCustomer, item: JobItem) -> bool:
        if state.is_archived:
            return False
        state.row.archived_at = unit.now
        return True

    each.apply_step(chunk, put_away)
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.UNARCHIVE, Permission.CUSTOMER_ARCHIVE)
async def unarchive_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """What was recorded in the meantime has its effect now."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, archived=True)

    def fetch(state: LoadedCustomer, item: JobItem) -> bool:
        if not state.is_archived:
            return False
        state.row.archived_at = None
        return True

    each.apply_step(chunk, fetch)
    await interactions.apply_pending(unit, [state for _, state in chunk.undecided()])
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.BLOCK, Permission.CUSTOMER_BLOCK)
async def block_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """A new reason or end takes the place of the earlier one."""
    chunk = await each.load_chunk(unit, task, items, {"block"})
    each.check_chunk(unit, chunk)
    reason, until = task.arguments["reason"], task.arguments.get("until")

    def put(state: LoadedCustomer, item: JobItem) -> bool:
        held = state.block
        if held is not None and (held.reason, held.until) == (reason, until):
            return False
        state.block = new_row(
            tables.CustomerBlock,
            workspace_id=unit.workspace_id,
            customer_id=state.id,
            reason=reason,
            until=until,
            actor_kind=int(unit.author.kind),
            actor_id=unit.author.id,
            at=unit.now,
        )
        return True

    each.apply_step(chunk, put)
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.UNBLOCK, Permission.CUSTOMER_BLOCK)
async def unblock_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """A block that has ended by itself is none."""
    chunk = await each.load_chunk(unit, task, items, {"block"})
    each.check_chunk(unit, chunk)

    def free(state: LoadedCustomer, item: JobItem) -> bool:
        if not state.is_blocked(unit.now):
            return False
        state.block = None
        return True

    each.apply_step(chunk, free)
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.DELETE, Permission.CUSTOMER_BULK_DELETE, is_undoable=False)
async def delete_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """For ever, those whom the workspace's setting lets go (SB20)."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, archived=True)
    policy = BulkDeletePolicy((await unit.settings()).bulk_delete)
    for item, state in chunk.undecided():
        if not _let_go(policy, state):
            message = f"“{state.row.name}” cannot be deleted with others: the workspace lets go {_WHOM[policy]}."
            chunk.fail(item, InputError(ErrorCode.BULK_DELETE_NOT_ALLOWED, message, task.path(item)))
    pairs = chunk.undecided()
    await records.delete_each(unit, [state for _, state in pairs], [item.row for item, _ in pairs])
    for item, state in pairs:
        chunk.results[item.row] = RowResult(item.row, state.id, Outcome.DELETED)
    return chunk.results_in_order()


_WHOM = {
    BulkDeletePolicy.NONE: "nobody so",
    BulkDeletePolicy.TO_BE_ASSIGNED_ONLY: "only those who wait for an agent (TO_BE_ASSIGNED)",
}


def _let_go(policy: BulkDeletePolicy, state: LoadedCustomer) -> bool:
    if policy is BulkDeletePolicy.TO_BE_ASSIGNED_ONLY:
        return bool(state.row.stage == CustomerStage.TO_BE_ASSIGNED)
    return policy is BulkDeletePolicy.ANY
