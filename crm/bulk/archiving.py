"""Archiving, unarchiving, blocking, unblocking and deleting many customers (EM16-EM19, EM23, SB20-SB23)."""

from collections.abc import Sequence

from crm.activities import interactions
from crm.bulk import chunk as each
from crm.customers import records
from crm.customers.loaded_customer import State
from crm.errors import ErrorCode, InputError
from crm.jobs.handlers import Item, Result, Task, verb
from crm.unit_of_work import UnitOfWork
from db import tables
from db.rows import new_row
from db.tables.enums import BulkDeletePolicy, CustomerStage, JobKind, Outcome, Permission


@verb(JobKind.ARCHIVE, Permission.CUSTOMER_ARCHIVE)
async def archive(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """Everything stays as it is, out of sight."""
    chunk = await each.load(unit, task, items)
    each.judged(unit, chunk, archived=True)

    def put_away(state: State, item: Item) -> bool:
        if state.archived:
            return False
        state.row.archived_at = unit.now
        return True

    each.step(chunk, put_away)
    return await each.write(unit, chunk)


@verb(JobKind.UNARCHIVE, Permission.CUSTOMER_ARCHIVE)
async def unarchive(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """What was recorded in the meantime has its effect now."""
    chunk = await each.load(unit, task, items)
    each.judged(unit, chunk, archived=True)

    def fetch(state: State, item: Item) -> bool:
        if not state.archived:
            return False
        state.row.archived_at = None
        return True

    each.step(chunk, fetch)
    await interactions.replay(unit, [state for _, state in chunk.open()])
    return await each.write(unit, chunk)


@verb(JobKind.BLOCK, Permission.CUSTOMER_BLOCK)
async def block(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """A new reason or end takes the place of the earlier one."""
    chunk = await each.load(unit, task, items, {"block"})
    each.judged(unit, chunk)
    reason, until = task.arguments["reason"], task.arguments.get("until")

    def put(state: State, item: Item) -> bool:
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

    each.step(chunk, put)
    return await each.write(unit, chunk)


@verb(JobKind.UNBLOCK, Permission.CUSTOMER_BLOCK)
async def unblock(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """A block that has ended by itself is none."""
    chunk = await each.load(unit, task, items, {"block"})
    each.judged(unit, chunk)

    def free(state: State, item: Item) -> bool:
        if not state.blocked(unit.now):
            return False
        state.block = None
        return True

    each.step(chunk, free)
    return await each.write(unit, chunk)


@verb(JobKind.DELETE, Permission.CUSTOMER_BULK_DELETE, undoable=False)
async def delete(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """For ever, those whom the workspace's setting lets go (SB20)."""
    chunk = await each.load(unit, task, items)
    each.judged(unit, chunk, archived=True)
    policy = BulkDeletePolicy((await unit.settings()).bulk_delete)
    for item, state in chunk.open():
        if not _let_go(policy, state):
            message = f"“{state.row.name}” cannot be deleted with others: the workspace lets go {_WHOM[policy]}."
            chunk.refuse(item, InputError(ErrorCode.BULK_DELETE_NOT_ALLOWED, message, task.path(item)))
    pairs = chunk.open()
    await records.delete_each(unit, [state for _, state in pairs], [item.row for item, _ in pairs])
    for item, state in pairs:
        chunk.results[item.row] = Result(item.row, state.id, Outcome.DELETED)
    return chunk.ordered()


_WHOM = {
    BulkDeletePolicy.NONE: "nobody so",
    BulkDeletePolicy.TO_BE_ASSIGNED_ONLY: "only those who wait for an agent (TO_BE_ASSIGNED)",
}


def _let_go(policy: BulkDeletePolicy, state: State) -> bool:
    if policy is BulkDeletePolicy.TO_BE_ASSIGNED_ONLY:
        return bool(state.row.stage == CustomerStage.TO_BE_ASSIGNED)
    return policy is BulkDeletePolicy.ANY
