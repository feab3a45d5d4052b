"""Changing many customers alike (EM5, VC3, VC13, SB17)."""

from collections.abc import Sequence
from typing import Any

from crm import references
from crm.customers import inputs, records
from crm.customers.records import Wanted
from crm.errors import ErrorCode, InputError, raise_errors
from crm.jobs.handlers import Item, Result, Task, verb
from crm.unit_of_work import UnitOfWork
from db.tables.enums import JobKind, Outcome, Permission


@verb(JobKind.UPDATE, Permission.CUSTOMER_UPDATE)
async def update(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """The input is read once, and judged with each customer."""
    given = task.arguments["input"]
    (change,), known = await inputs.prepare(unit, [(given, ("input",))])
    wanted = [Wanted(one.id, given, named=task.path(one), place=one.row) for one in items]
    found, outcomes = await records.update_each(unit, wanted, ([change] * len(items), known))
    results = []
    for one, state, outcome in zip(items, found, outcomes, strict=True):
        if state is None:
            nobody = references.nobody({"id": task.named(one)}, task.path(one))
            results.append(Result(one.row, one.id, Outcome.FAILED, [nobody]))
        else:
            results.append(Result(one.row, state.id, outcome, list(state.refused)))
    return results


async def check(unit: UnitOfWork, given: Any) -> None:
    """Raises InputError for what cannot be taken of anybody."""
    (change,), _ = await inputs.prepare(unit, [(given, ("input",))])
    raise_errors(change.refused)
    if change.owner is not None and not change.owner.active:
        message = f"{change.owner.name} is not active any more; choose another agent."
        raise InputError(ErrorCode.AGENT_INACTIVE, message, change.at("owner"))
