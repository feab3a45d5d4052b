"""The customers of a chunk, one by one by the rules of a single one, read and written together."""

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
"""Changes the customer in memory; False where it is so already. Raises InputError."""


@dataclass(slots=True)
class CustomerChunk:
    """The customers of a chunk, held, and what is known of each row so far."""

    task: JobTask
    items: Sequence[JobItem]
    customers: dict[int, LoadedCustomer]
    results: dict[int, RowResult]

    def fail(self, item: JobItem, refused: InputError) -> None:
        self.results[item.row] = RowResult(item.row, item.id, Outcome.FAILED, [refused])

    def skip(self, item: JobItem, refused: Sequence[InputError] = ()) -> None:
        self.results[item.row] = RowResult(item.row, item.id, Outcome.SKIPPED, refused)

    def undecided(self) -> list[tuple[JobItem, LoadedCustomer]]:
        """Those of whom nothing is decided yet."""
        return [(one, self.customers[one.row]) for one in self.items if one.row not in self.results]

    def results_in_order(self) -> list[RowResult]:
        return [self.results[one.row] for one in self.items]


async def load_chunk(
    unit: UnitOfWork,
    task: JobTask,
    items: Sequence[JobItem],
    parts: Collection[str] = (),
    *,
    visibility: Visibility | None = None,
) -> CustomerChunk:
    """Those who are not in sight are refused, and whoever comes twice is skipped."""
    found = await customers.lock_by_ids(
        unit.transaction, [one.id for one in items if one.id], visibility or unit.viewer.visibility
    )
    known = await loaded_customer.from_rows(unit, found, frozenset(parts))
    chunk = CustomerChunk(task, items, {}, {})
    seen: set[bytes] = set()
    for one in items:
        state = known.get(one.id)
        if state is None:
            chunk.fail(one, references.customer_not_found({"id": task.id_as_given(one)}, task.path(one)))
        elif state.id in seen:
            chunk.skip(one)
        else:
            seen.add(state.id)
            chunk.customers[one.row] = state
            change_fields.store_original_values(state)
    return chunk


def visibility_of(task: JobTask) -> Visibility | None:
    """All customers of an agent who leaves are meant, whoever sees them."""
    return Visibility(sees_all=True) if "leaving" in task.arguments else None


def check_chunk(unit: UnitOfWork, chunk: CustomerChunk, *, foreign: bool = False, archived: bool = False) -> None:
    """Refuses those whom the viewer may not work with, and archived ones."""
    for item, state in chunk.undecided():
        try:
            check_preconditions(unit, state, chunk.task.path(item), foreign=foreign, archived=archived)
        except InputError as refused:
            chunk.fail(item, refused)


def apply_step(chunk: CustomerChunk, change: CustomerStep) -> None:
    """Changes each in memory."""
    for item, state in chunk.undecided():
        try:
            if not change(state, item):
                chunk.skip(item)
        except InputError as refused:
            chunk.fail(item, refused)


async def write_chunk(unit: UnitOfWork, chunk: CustomerChunk) -> list[RowResult]:
    """Writes those who were changed."""
    pairs = chunk.undecided()
    outcomes = await persistence.write_customers(unit, [state for _, state in pairs], [item.row for item, _ in pairs])
    for (item, state), outcome in zip(pairs, outcomes, strict=True):
        chunk.results[item.row] = RowResult(item.row, state.id, outcome, list(state.errors))
    return chunk.results_in_order()
