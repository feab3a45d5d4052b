"""Recording many interactions at once (SM1, SB16, VC5)."""

from collections.abc import Sequence
from typing import Any, Final

from crm import references
from crm.activities import interactions
from crm.bulk import lookup
from crm.customers import loaded_customer
from crm.customers.preconditions import check_preconditions
from crm.errors import InputError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db.tables.enums import JobKind, Outcome, Permission

MAX_INTERACTION_ROWS: Final = 1_000
"""Rows of one call."""


@job_handler(JobKind.INTERACTIONS, Permission.INTERACTION_RECORD, entity="Interaction")
async def record_interactions(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """One with an external id that is known is not recorded again."""
    rows = task.arguments["rows"]
    named = {one.row: rows[one.row]["customer"] for one in items}
    known = await lookup.find_customers(unit, named, column="customer")
    ids = list({one for one in known.values() if isinstance(one, bytes)})
    held = await loaded_customer.load_customers(unit, ids, ())
    results: dict[int, RowResult] = {}
    read = interactions.InteractionReader()
    wanted: list[tuple[int, Any, Any]] = []
    for row, by in named.items():
        path = ("rows", row, "customer")
        found = known[row]
        try:
            if isinstance(found, InputError):
                raise found
            if found is None or found not in held:
                raise references.customer_not_found(by, path)
            check_preconditions(unit, held[found], path, foreign=True, archived=True)
            wanted.append((row, held[found], rows[row]["input"]))
        except InputError as refused:
            results[row] = RowResult(row, None, Outcome.FAILED, [refused])
    await read.prepare(unit, [given for _, _, given in wanted])
    new = []
    for row, state, given in wanted:
        try:
            interaction, fresh = read.interaction(unit, state, given, ("rows", row, "input"))
            results[row] = RowResult(row, interaction.id, Outcome.CREATED if fresh else Outcome.SKIPPED)
            if fresh:
                new.append((state, interaction, row))
        except InputError as refused:
            results[row] = RowResult(row, None, Outcome.FAILED, [refused])
    await interactions.record_each(unit, [(state, one) for state, one, _ in new], [row for _, _, row in new])
    return [results[one.row] for one in items]
