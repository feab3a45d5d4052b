"""What becomes of an agent's customers when he leaves: they are released, or assigned to others by turns.

A few are moved with the answer, all or none; many by a job behind it, by the same rules, each for itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from crm.assignment import engine, stages
from crm.assignment.round_robin import RoundRobin, load_assignees
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.jobs import submit
from crm.jobs.handlers import JobItem
from crm.jobs.submit import JobOptions
from crm.jobs.targets import MAX_INLINE_CUSTOMERS, Target
from crm.unit_of_work import UnitOfWork
from crm.validation import InputData
from crm.values import text_values
from db.queries.customers import customers
from db.rows import Row
from db.tables.enums import CustomerStage, JobKind, Permission
from db.visibility import Visibility

CustomerStep = Callable[[LoadedCustomer], object]

_ASSIGN: Final = ("customers", "assign")


async def hand_over_customers(unit: UnitOfWork, agent: Any, choice: InputData | None, path: Path) -> Row | None:
    """Takes every customer from the agent, who is held; archived ones stay as they are. `choice` is {"assign": {…}} or
    {"release": stage}. The job that does so, where there are many.

    Raises InputError AGENT_HAS_CUSTOMERS at `path` where there is no choice but there are customers; and with one,
    FORBIDDEN, AGENT_AT_CAPACITY, CUSTOMER_BLOCKED, and what naming agents and departments raises.
    """
    owned = await customers.owned_ids(unit.transaction, agent.id)
    if choice is None:
        if owned:
            message = (
                f"{agent.name} still looks after {len(owned)} customers; "
                "deactivate with `customers`, which says whom to assign them to or where to release them."
            )
            raise InputError(ErrorCode.AGENT_HAS_CUSTOMERS, message, path)
        return None
    if not unit.viewer.has_permission(Permission.CUSTOMER_ASSIGN):
        message = "You need CUSTOMER_ASSIGN to assign or release the customers of somebody else."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    turns = None
    if "assign" in choice:
        turns = await load_assignees(unit, choice["assign"], _ASSIGN, without=agent.id)
        _fits(turns, len(owned))
    if len(owned) > MAX_INLINE_CUSTOMERS:
        return await _as_job(unit, agent, choice, turns, owned)
    await _move(unit, owned, _step(unit, choice, turns))
    return None


async def _as_job(
    unit: UnitOfWork, agent: Any, choice: InputData, turns: RoundRobin | None, owned: Sequence[bytes]
) -> Row:
    """Begins it; whoever is not in the viewer's sight is meant, too."""
    target = Target({"agent": agent.id.hex()}, [JobItem(row, one) for row, one in enumerate(owned)])
    label = JobOptions(label=f"Customers of {agent.name}"[: text_values.MAX_NAME_LENGTH])
    leaving = {"leaving": agent.id.hex()}
    if turns is None:
        arguments = {"to": int(choice["release"]), "reason": None, **leaving}
        return await submit.submit_job(unit, JobKind.RELEASE, arguments, target, label)
    return await submit.submit_job(unit, JobKind.ASSIGN, {"seats": turns.stored_form, **leaving}, target, label)


def _step(unit: UnitOfWork, choice: InputData, turns: RoundRobin | None) -> CustomerStep:
    if turns is None:
        stage = CustomerStage(choice["release"])
        return lambda state: stages.release(unit, state, stage, ("customers", "release"))
    return lambda state: _assign(unit, state, turns)


def _fits(turns: RoundRobin, wanted: int) -> None:
    """Raises LimitError where they have not room for so many together."""
    if any(seat.agent is None for seat in turns.assignees):
        return
    room = 0
    for seat in turns.assignees:
        limit = turns.capacity.limit_of(seat.agent)
        if limit is None:
            return
        room += max(0, limit - turns.capacity.owned.get(seat.agent.id, 0))
    if wanted > room:
        message = f"These agents take {room} more customers together, and there are {wanted}; name more agents."
        raise LimitError(message, _ASSIGN, limit=room, current=wanted, code=ErrorCode.AGENT_AT_CAPACITY)


def _assign(unit: UnitOfWork, state: LoadedCustomer, turns: RoundRobin) -> None:
    seat = turns.next_assignee()
    assert seat is not None
    if seat.agent is not None:
        stages.assign(unit, state, seat.agent.id, turns.capacity, _ASSIGN)
        return
    if state.is_blocked(unit.now):
        message = f"“{state.row.name}” is blocked and cannot be assigned; unblock the customer first."
        raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, _ASSIGN)
    stages.release(unit, state, CustomerStage.TO_BE_ASSIGNED, _ASSIGN)
    state.row.department_id = seat.department.id


async def _move(unit: UnitOfWork, ids: Sequence[bytes], step: CustomerStep) -> None:
    """A handful of statements, however many customers."""
    found = await loaded_customer.from_rows(
        unit, await customers.lock_by_ids(unit.transaction, ids, Visibility(sees_all=True)), frozenset({"block"})
    )
    moved = [found[key] for key in ids if key in found]
    for state in moved:
        change_fields.store_original_values(state)
        step(state)
    await persistence.write_customers(unit, moved)
    await engine.assign_by_rules(unit, moved)
