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
    """Archives the customers. All their data stays but is hidden."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, archived=True)

    def archive(state: LoadedCustomer, item: JobItem) -> bool:
        if state.is_archived:
            return False
        state.row.archived_at = unit.now
        return True

    each.apply_step(chunk, archive)
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.UNARCHIVE, Permission.CUSTOMER_ARCHIVE)
async def unarchive_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Unarchives the customers and applies the interactions that were recorded meanwhile."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, archived=True)

    def unarchive(state: LoadedCustomer, item: JobItem) -> bool:
        if not state.is_archived:
            return False
        state.row.archived_at = None
        return True

    each.apply_step(chunk, unarchive)
    await interactions.apply_pending(unit, [state for _, state in chunk.undecided()])
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.BLOCK, Permission.CUSTOMER_BLOCK)
async def block_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Blocks the customers. A new reason or end replaces the earlier one."""
    chunk = await each.load_chunk(unit, task, items, {"block"})
    each.check_chunk(unit, chunk)
    reason, until = task.arguments["reason"], task.arguments.get("until")

    def block(state: LoadedCustomer, item: JobItem) -> bool:
        existing = state.block
        if existing is not None and (existing.reason, existing.until) == (reason, until):
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

    each.apply_step(chunk, block)
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.UNBLOCK, Permission.CUSTOMER_BLOCK)
async def unblock_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Unblocks the customers. Skips customers whose block has already ended."""
    chunk = await each.load_chunk(unit, task, items, {"block"})
    each.check_chunk(unit, chunk)

    def unblock(state: LoadedCustomer, item: JobItem) -> bool:
        if not state.is_blocked(unit.now):
            return False
        state.block = None
        return True

    each.apply_step(chunk, unblock)
    return await each.write_chunk(unit, chunk)


@job_handler(JobKind.DELETE, Permission.CUSTOMER_BULK_DELETE, is_undoable=False)
async def delete_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Permanently deletes the customers that the workspace's setting allows to delete in bulk (SB20)."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk, archived=True)
    policy = BulkDeletePolicy((await unit.settings()).bulk_delete)
    for item, state in chunk.undecided():
        if not _allows_deletion(policy, state):
            message = (
                f"“{state.row.name}” cannot be deleted in bulk: this workspace allows bulk deletion for "
                f"{_DELETABLE_CUSTOMERS[policy]}."
            )
            chunk.fail(item, InputError(ErrorCode.BULK_DELETE_NOT_ALLOWED, message, task.path(item)))
    pairs = chunk.undecided()
    await records.delete_each(unit, [state for _, state in pairs], [item.row for item, _ in pairs])
    for item, state in pairs:
        chunk.results[item.row] = RowResult(item.row, state.id, Outcome.DELETED)
    return chunk.results_in_order()


_DELETABLE_CUSTOMERS = {
    BulkDeletePolicy.NONE: "no customers",
    BulkDeletePolicy.TO_BE_ASSIGNED_ONLY: "only customers that wait for an agent (TO_BE_ASSIGNED)",
}


def _allows_deletion(policy: BulkDeletePolicy, state: LoadedCustomer) -> bool:
    if policy is BulkDeletePolicy.TO_BE_ASSIGNED_ONLY:
        return bool(state.row.stage == CustomerStage.TO_BE_ASSIGNED)
    return policy is BulkDeletePolicy.ANY
