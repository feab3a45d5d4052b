"""Verifying and releasing many customers (SB2, SB21-SB23)."""

from collections.abc import Sequence

from crm.assignment import engine, stages
from crm.assignment.stages import NEXT
from crm.bulk import chunk as each
from crm.customers import allowed_actions
from crm.customers.loaded_customer import State
from crm.errors import ErrorCode, InputError, TransitionError
from crm.jobs.handlers import Item, Result, Task, verb
from crm.unit_of_work import UnitOfWork
from db.tables.enums import CustomerStage, JobKind, Permission, Verification


@verb(JobKind.VERIFY, Permission.CUSTOMER_UPDATE)
async def verify(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """A NEW customer who is valid goes on to TO_BE_ASSIGNED; who is not stays NEW."""
    chunk = await each.load(unit, task, items)
    each.judged(unit, chunk)
    valid = bool(task.arguments["valid"])

    def judge(state: State, item: Item) -> bool:
        row = state.row
        to = Verification.VALID if valid else Verification.INVALID
        if row.verification == to or (valid and row.stage == CustomerStage.TO_BE_ASSIGNED):
            return False
        if row.stage != CustomerStage.NEW:
            stage = CustomerStage(row.stage)
            wanted = CustomerStage.TO_BE_ASSIGNED if valid else CustomerStage.NEW
            raise TransitionError(stage, wanted, [one for one in NEXT[stage] if one != wanted], task.path(item))
        row.verification = int(to)
        if valid:
            row.stage = int(CustomerStage.TO_BE_ASSIGNED)
        return True

    each.step(chunk, judge)
    return await _write(unit, chunk)


@verb(JobKind.RELEASE, Permission.CUSTOMER_UPDATE, Permission.CUSTOMER_ASSIGN)
async def release(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """One's own with CUSTOMER_UPDATE, others' with CUSTOMER_ASSIGN."""
    chunk = await each.load(unit, task, items, visibility=each.sight_of(task))
    to = CustomerStage(task.arguments["to"])
    for item, state in chunk.open():
        if state.row.stage == CustomerStage.FOLLOW_UP and not allowed_actions.may_release(unit.viewer, state.row):
            message = f"“{state.row.name}” is somebody else's customer; releasing needs CUSTOMER_ASSIGN."
            chunk.refuse(item, InputError(ErrorCode.FORBIDDEN, message, task.path(item)))
    each.judged(unit, chunk, foreign=True)
    each.step(chunk, lambda state, item: stages.release(unit, state, to, task.path(item)))
    return await _write(unit, chunk)


async def _write(unit: UnitOfWork, chunk: each.Chunk) -> list[Result]:
    """Rules look at those who come to TO_BE_ASSIGNED."""
    moved = [state for _, state in chunk.open()]
    results = await each.write(unit, chunk)
    await engine.settle(unit, moved)
    return results
