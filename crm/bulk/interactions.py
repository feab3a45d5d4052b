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
"""Maximum number of rows in one call."""


@job_handler(JobKind.INTERACTIONS, Permission.INTERACTION_RECORD, entity="Interaction")
async def record_interactions(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Records the interactions. Skips those whose external id is already recorded."""
    rows = task.arguments["rows"]
    references_by_row = {item.row: rows[item.row]["customer"] for item in items}
    customer_ids = await lookup.find_customers(unit, references_by_row, column="customer")
    ids = list({item for item in customer_ids.values() if isinstance(item, bytes)})
    loaded = await loaded_customer.load_customers(unit, ids, ())
    results: dict[int, RowResult] = {}
    reader = interactions.InteractionReader()
    requests: list[tuple[int, Any, Any]] = []
    for row, reference in references_by_row.items():
        path = ("rows", row, "customer")
        customer_id = customer_ids[row]
        try:
            if isinstance(customer_id, InputError):
                raise customer_id
            if customer_id is None or customer_id not in loaded:
                raise references.customer_not_found(reference, path)
            check_preconditions(unit, loaded[customer_id], path, foreign=True, archived=True)
            requests.append((row, loaded[customer_id], rows[row]["input"]))
        except InputError as error:
            results[row] = RowResult(row, None, Outcome.FAILED, [error])
    await reader.prepare(unit, [data for _, _, data in requests])
    new = []
    for row, state, data in requests:
        try:
            interaction, is_new = reader.interaction(unit, state, data, ("rows", row, "input"))
            results[row] = RowResult(row, interaction.id, Outcome.CREATED if is_new else Outcome.SKIPPED)
            if is_new:
                new.append((state, interaction, row))
        except InputError as error:
            results[row] = RowResult(row, None, Outcome.FAILED, [error])
    await interactions.record_each(unit, [(state, item) for state, item, _ in new], [row for _, _, row in new])
    return [results[item.row] for item in items]
