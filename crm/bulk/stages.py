"""Verifying and releasing many customers (SB2, SB21-SB23)."""

from collections.abc import Sequence

from crm.assignment import engine, stages
from crm.assignment.stages import NEXT_STAGES
from crm.bulk import chunk as each
from crm.customers import allowed_actions
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, TransitionError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db.tables.enums import CustomerStage, JobKind, Permission, Verification


@job_handler(JobKind.VERIFY, Permission.CUSTOMER_UPDATE)
async def verify_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """A NEW customer who is valid goes on to TO_BE_ASSIGNED; who is not stays NEW."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk)
    valid = bool(task.arguments["valid"])

    def judge(state: LoadedCustomer, item: JobItem) -> bool:
        row = state.row
        to = Verification.VALID if valid else Verification.INVALID
        if row.verification == to or (valid and row.stage == CustomerStage.TO_BE_ASSIGNED):
            return False
        if row.stage != CustomerStage.NEW:
            stage = CustomerStage(row.stage)
            wanted = CustomerStage.TO_BE_ASSIGNED if valid else CustomerStage.NEW
            raise TransitionError(stage, wanted, [one for one in NEXT_STAGES[stage] if one != wanted], task.path(item))
        row.verification = int(to)
        if valid:
            row.stage = int(CustomerStage.TO_BE_ASSIGNED)
        return True

    each.apply_step(chunk, judge)
    return await _write(unit, chunk)


@job_handler(JobKind.RELEASE, Permission.CUSTOMER_UPDATE, Permission.CUSTOMER_ASSIGN)
async def release_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """One's own with CUSTOMER_UPDATE, others' with CUSTOMER_ASSIGN."""
    chunk = await each.load_chunk(unit, task, items, visibility=each.visibility_of(task))
    to = CustomerStage(task.arguments["to"])
    for item, state in chunk.undecided():
        if state.row.stage == CustomerStage.FOLLOW_UP and not allowed_actions.may_release(unit.viewer, state.row):
            message = f"“{state.row.name}” is somebody else's customer; releasing needs CUSTOMER_ASSIGN."
            chunk.fail(item, InputError(ErrorCode.FORBIDDEN, message, task.path(item)))
    each.check_chunk(unit, chunk, foreign=True)
    each.apply_step(chunk, lambda state, item: stages.release(unit, state, to, task.path(item)))
    return await _write(unit, chunk)


async def _write(unit: UnitOfWork, chunk: each.CustomerChunk) -> list[RowResult]:
    """Rules look at those who come to TO_BE_ASSIGNED."""
    moved = [state for _, state in chunk.undecided()]
    results = await each.write_chunk(unit, chunk)
    await engine.assign_by_rules(unit, moved)
    return results
