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
    """Moves valid NEW customers to TO_BE_ASSIGNED; invalid ones stay NEW."""
    chunk = await each.load_chunk(unit, task, items)
    each.check_chunk(unit, chunk)
    valid = bool(task.arguments["valid"])

    def verify(state: LoadedCustomer, item: JobItem) -> bool:
        row = state.row
        verification = Verification.VALID if valid else Verification.INVALID
        if row.verification == verification or (valid and row.stage == CustomerStage.TO_BE_ASSIGNED):
            return False
        if row.stage != CustomerStage.NEW:
            stage = CustomerStage(row.stage)
            target_stage = CustomerStage.TO_BE_ASSIGNED if valid else CustomerStage.NEW
            raise TransitionError(
                stage,
                target_stage,
                [next_stage for next_stage in NEXT_STAGES[stage] if next_stage != target_stage],
                task.path(item),
            )
        row.verification = int(verification)
        if valid:
            row.stage = int(CustomerStage.TO_BE_ASSIGNED)
        return True

    each.apply_step(chunk, verify)
    return await _write_and_assign(unit, chunk)


@job_handler(JobKind.RELEASE, Permission.CUSTOMER_UPDATE, Permission.CUSTOMER_ASSIGN)
async def release_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Releases the customers. Agents release their own with CUSTOMER_UPDATE and those of others with
    CUSTOMER_ASSIGN."""
    chunk = await each.load_chunk(unit, task, items, visibility=each.visibility_of(task))
    to = CustomerStage(task.arguments["to"])
    for item, state in chunk.undecided():
        if state.row.stage == CustomerStage.FOLLOW_UP and not allowed_actions.may_release(unit.viewer, state.row):
            message = (
                f"“{state.row.name}” belongs to another agent; releasing this customer needs the permission "
                "CUSTOMER_ASSIGN."
            )
            chunk.fail(item, InputError(ErrorCode.FORBIDDEN, message, task.path(item)))
    each.check_chunk(unit, chunk, foreign=True)
    each.apply_step(chunk, lambda state, item: stages.release(unit, state, to, task.path(item)))
    return await _write_and_assign(unit, chunk)


async def _write_and_assign(unit: UnitOfWork, chunk: each.CustomerChunk) -> list[RowResult]:
    """Writes the chunk, then applies the assignment rules to customers that entered TO_BE_ASSIGNED."""
    changed = [state for _, state in chunk.undecided()]
    results = await each.write_chunk(unit, chunk)
    await engine.assign_by_rules(unit, changed)
    return results
