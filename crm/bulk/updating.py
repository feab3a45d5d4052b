"""Changing many customers alike (EM5, VC3, VC13, SB17)."""

from collections.abc import Sequence
from typing import Any

from crm import references
from crm.customers import inputs, records
from crm.customers.records import UpdateRequest
from crm.errors import ErrorCode, InputError, raise_errors
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db.tables.enums import JobKind, Outcome, Permission


@job_handler(JobKind.UPDATE, Permission.CUSTOMER_UPDATE)
async def update_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """The input is read once, and judged with each customer."""
    given = task.arguments["input"]
    (change,), known = await inputs.read_inputs(unit, [(given, ("input",))])
    wanted = [UpdateRequest(one.id, given, reference_path=task.path(one), row=one.row) for one in items]
    found, outcomes = await records.update_each(unit, wanted, ([change] * len(items), known))
    results = []
    for one, state, outcome in zip(items, found, outcomes, strict=True):
        if state is None:
            nobody = references.customer_not_found({"id": task.id_as_given(one)}, task.path(one))
            results.append(RowResult(one.row, one.id, Outcome.FAILED, [nobody]))
        else:
            results.append(RowResult(one.row, state.id, outcome, list(state.errors)))
    return results


async def check_update(unit: UnitOfWork, given: Any) -> None:
    """Raises InputError for what cannot be taken of anybody."""
    (change,), _ = await inputs.read_inputs(unit, [(given, ("input",))])
    raise_errors(change.errors)
    if change.owner is not None and not change.owner.active:
        message = f"{change.owner.name} is not active any more; choose another agent."
        raise InputError(ErrorCode.AGENT_INACTIVE, message, change.path_to("owner"))
