"""The customers of a chunk, one by one by the rules of a single one, read and written together."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from crm import references
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import State
from crm.customers.preconditions import judge
from crm.errors import InputError
from crm.jobs.handlers import Item, Result, Task
from crm.unit_of_work import UnitOfWork
from db.queries.customers import customers
from db.tables.enums import Outcome
from db.visibility import Visibility

Step = Callable[[State, Item], bool]
"""Changes the customer in memory; False where it is so already. Raises InputError."""


@dataclass(slots=True)
class Chunk:
    """The customers of a chunk, held, and what is known of each row so far."""

    task: Task
    items: Sequence[Item]
    states: dict[int, State]
    results: dict[int, Result]

    def refuse(self, item: Item, refused: InputError) -> None:
        self.results[item.row] = Result(item.row, item.id, Outcome.FAILED, [refused])

    def skip(self, item: Item, refused: Sequence[InputError] = ()) -> None:
        self.results[item.row] = Result(item.row, item.id, Outcome.SKIPPED, refused)

    def open(self) -> list[tuple[Item, State]]:
        """Those of whom nothing is decided yet."""
        return [(one, self.states[one.row]) for one in self.items if one.row not in self.results]

    def ordered(self) -> list[Result]:
        return [self.results[one.row] for one in self.items]


async def load(
    unit: UnitOfWork,
    task: Task,
    items: Sequence[Item],
    parts: Collection[str] = (),
    *,
    visibility: Visibility | None = None,
) -> Chunk:
    """Those who are not in sight are refused, and whoever comes twice is skipped."""
    found = await customers.locked(
        unit.transaction, [one.id for one in items if one.id], visibility or unit.viewer.visibility
    )
    known = await loaded_customer.of_rows(unit, found, frozenset(parts))
    chunk = Chunk(task, items, {}, {})
    seen: set[bytes] = set()
    for one in items:
        state = known.get(one.id)
        if state is None:
            chunk.refuse(one, references.nobody({"id": task.named(one)}, task.path(one)))
        elif state.id in seen:
            chunk.skip(one)
        else:
            seen.add(state.id)
            chunk.states[one.row] = state
            change_fields.remember(state)
    return chunk


def sight_of(task: Task) -> Visibility | None:
    """All customers of an agent who leaves are meant, whoever sees them."""
    return Visibility(sees_all=True) if "leaving" in task.arguments else None


def judged(unit: UnitOfWork, chunk: Chunk, *, foreign: bool = False, archived: bool = False) -> None:
    """Refuses those whom the viewer may not work with, and archived ones."""
    for item, state in chunk.open():
        try:
            judge(unit, state, chunk.task.path(item), foreign=foreign, archived=archived)
        except InputError as refused:
            chunk.refuse(item, refused)


def step(chunk: Chunk, change: Step) -> None:
    """Changes each in memory."""
    for item, state in chunk.open():
        try:
            if not change(state, item):
                chunk.skip(item)
        except InputError as refused:
            chunk.refuse(item, refused)


async def write(unit: UnitOfWork, chunk: Chunk) -> list[Result]:
    """Writes those who were changed."""
    pairs = chunk.open()
    outcomes = await persistence.write(unit, [state for _, state in pairs], [item.row for item, _ in pairs])
    for (item, state), outcome in zip(pairs, outcomes, strict=True):
        chunk.results[item.row] = Result(item.row, state.id, outcome, list(state.refused))
    return chunk.ordered()
