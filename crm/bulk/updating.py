"""Making the same change to many customers (EM5, VC3, VC13, SB17)."""

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
    """Updates the customers. The input is read once and checked for each customer."""
    data = task.arguments["input"]
    (change,), resolved = await inputs.read_inputs(unit, [(data, ("input",))])
    requests = [UpdateRequest(item.id, data, reference_path=task.path(item), row=item.row) for item in items]
    loaded, outcomes = await records.update_each(unit, requests, ([change] * len(items), resolved))
    results = []
    for item, state, outcome in zip(items, loaded, outcomes, strict=True):
        if state is None:
            error = references.customer_not_found({"id": task.id_as_given(item)}, task.path(item))
            results.append(RowResult(item.row, item.id, Outcome.FAILED, [error]))
        else:
            results.append(RowResult(item.row, state.id, outcome, list(state.errors)))
    return results


async def check_update(unit: UnitOfWork, data: Any) -> None:
    """Raises InputError for input that is invalid for every customer."""
    (change,), _ = await inputs.read_inputs(unit, [(data, ("input",))])
    raise_errors(change.errors)
    if change.owner is not None and not change.owner.active:
        message = f"{change.owner.name} is not active any more; choose another agent."
        raise InputError(ErrorCode.AGENT_INACTIVE, message, change.path_to("owner"))
