"""The customers of a chunk: loaded and written together, each checked by the rules for a single customer."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from crm import references
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import LoadedCustomer
from crm.customers.preconditions import check_preconditions
from crm.errors import InputError
from crm.jobs.handlers import JobItem, JobTask, RowResult
from crm.unit_of_work import UnitOfWork
from db.queries.customers import customers
from db.tables.enums import Outcome
from db.visibility import Visibility

CustomerStep = Callable[[LoadedCustomer, JobItem], bool]
"""Changes the customer in memory; returns False if nothing changes. Raises InputError."""


@dataclass(slots=True)
class CustomerChunk:
    """The locked customers of a chunk and the results of the rows so far."""

    task: JobTask
    items: Sequence[JobItem]
    customers: dict[int, LoadedCustomer]
    results: dict[int, RowResult]

    def fail(self, item: JobItem, error: InputError) -> None:
        self.results[item.row] = RowResult(item.row, item.id, Outcome.FAILED, [error])

    def skip(self, item: JobItem, errors: Sequence[InputError] = ()) -> None:
        self.results[item.row] = RowResult(item.row, item.id, Outcome.SKIPPED, errors)

    def undecided(self) -> list[tuple[JobItem, LoadedCustomer]]:
        """The rows without a result so far, with their customers."""
        return [(item, self.customers[item.row]) for item in self.items if item.row not in self.results]

    def results_in_order(self) -> list[RowResult]:
        return [self.results[item.row] for item in self.items]


async def load_chunk(
    unit: UnitOfWork,
    task: JobTask,
    items: Sequence[JobItem],
    parts: Collection[str] = (),
    *,
    visibility: Visibility | None = None,
) -> CustomerChunk:
    """Locks and loads the customers. Customers that are not visible fail; repeated customers are skipped."""
    rows = await customers.lock_by_ids(
        unit.transaction, [item.id for item in items if item.id], visibility or unit.viewer.visibility
    )
    loaded = await loaded_customer.from_rows(unit, rows, frozenset(parts))
    chunk = CustomerChunk(task, items, {}, {})
    customer_ids: set[bytes] = set()
    for item in items:
        state = loaded.get(item.id)
        if state is None:
            chunk.fail(item, references.customer_not_found({"id": task.id_as_given(item)}, task.path(item)))
        elif state.id in customer_ids:
            chunk.skip(item)
        else:
            customer_ids.add(state.id)
            chunk.customers[item.row] = state
            change_fields.store_original_values(state)
    return chunk


def visibility_of(task: JobTask) -> Visibility | None:
    """The visibility for the job: all customers of a leaving agent, independent of the viewer."""
    return Visibility(sees_all=True) if "leaving" in task.arguments else None


def check_chunk(unit: UnitOfWork, chunk: CustomerChunk, *, foreign: bool = False, archived: bool = False) -> None:
    """Fails the customers that the viewer may not change, and archived ones unless `archived`."""
    for item, state in chunk.undecided():
        try:
            check_preconditions(unit, state, chunk.task.path(item), foreign=foreign, archived=archived)
        except InputError as error:
            chunk.fail(item, error)


def apply_step(chunk: CustomerChunk, change: CustomerStep) -> None:
    """Applies the step to every customer without a result."""
    for item, state in chunk.undecided():
        try:
            if not change(state, item):
                chunk.skip(item)
        except InputError as error:
            chunk.fail(item, error)


async def write_chunk(unit: UnitOfWork, chunk: CustomerChunk) -> list[RowResult]:
    """Writes the changed customers and returns all results."""
    pairs = chunk.undecided()
    outcomes = await persistence.write_customers(unit, [state for _, state in pairs], [item.row for item, _ in pairs])
    for (item, state), outcome in zip(pairs, outcomes, strict=True):
        chunk.results[item.row] = RowResult(item.row, state.id, outcome, list(state.errors))
    return chunk.results_in_order()
