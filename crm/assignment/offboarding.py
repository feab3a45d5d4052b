"""What becomes of an agent's customers when he leaves: they are released, or assigned to others by turns.

A few are moved with the answer, all or none; many by a job behind it, by the same rules, each for itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from crm.assignment import engine, stages
from crm.assignment.round_robin import Turns, seats
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import State
from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.jobs import submit
from crm.jobs.handlers import Item
from crm.jobs.submit import Options
from crm.jobs.targets import AT_ONCE, Found
from crm.unit_of_work import UnitOfWork
from crm.validation import InputData
from crm.values import text_values
from db.queries.customers import customers
from db.rows import Row
from db.tables.enums import CustomerStage, JobKind, Permission
from db.visibility import Visibility

Step = Callable[[State], object]

_ASSIGN: Final = ("customers", "assign")


async def leave(unit: UnitOfWork, agent: Any, choice: InputData | None, path: Path) -> Row | None:
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
        turns = await seats(unit, choice["assign"], _ASSIGN, without=agent.id)
        _fits(turns, len(owned))
    if len(owned) > AT_ONCE:
        return await _as_job(unit, agent, choice, turns, owned)
    await _move(unit, owned, _step(unit, choice, turns))
    return None


async def _as_job(unit: UnitOfWork, agent: Any, choice: InputData, turns: Turns | None, owned: Sequence[bytes]) -> Row:
    """Begins it; whoever is not in the viewer's sight is meant, too."""
    target = Found({"agent": agent.id.hex()}, [Item(row, one) for row, one in enumerate(owned)])
    label = Options(label=f"Customers of {agent.name}"[: text_values.NAME])
    leaving = {"leaving": agent.id.hex()}
    if turns is None:
        arguments = {"to": int(choice["release"]), "reason": None, **leaving}
        return await submit.start(unit, JobKind.RELEASE, arguments, target, label)
    return await submit.start(unit, JobKind.ASSIGN, {"seats": turns.plain, **leaving}, target, label)


def _step(unit: UnitOfWork, choice: InputData, turns: Turns | None) -> Step:
    if turns is None:
        stage = CustomerStage(choice["release"])
        return lambda state: stages.release(unit, state, stage, ("customers", "release"))
    return lambda state: _assign(unit, state, turns)


def _fits(turns: Turns, wanted: int) -> None:
    """Raises LimitError where they have not room for so many together."""
    if any(seat.agent is None for seat in turns.seats):
        return
    room = 0
    for seat in turns.seats:
        limit = turns.crew.room_limit(seat.agent)
        if limit is None:
            return
        room += max(0, limit - turns.crew.owned.get(seat.agent.id, 0))
    if wanted > room:
        message = f"These agents take {room} more customers together, and there are {wanted}; name more agents."
        raise LimitError(message, _ASSIGN, limit=room, current=wanted, code=ErrorCode.AGENT_AT_CAPACITY)


def _assign(unit: UnitOfWork, state: State, turns: Turns) -> None:
    seat = turns.next()
    assert seat is not None
    if seat.agent is not None:
        stages.assign(unit, state, seat.agent.id, turns.crew, _ASSIGN)
        return
    if state.blocked(unit.now):
        message = f"“{state.row.name}” is blocked and cannot be assigned; unblock the customer first."
        raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, _ASSIGN)
    stages.release(unit, state, CustomerStage.TO_BE_ASSIGNED, _ASSIGN)
    state.row.department_id = seat.department.id


async def _move(unit: UnitOfWork, ids: Sequence[bytes], step: Step) -> None:
    """A handful of statements, however many customers."""
    found = await loaded_customer.of_rows(
        unit, await customers.locked(unit.transaction, ids, Visibility(sees_all=True)), frozenset({"block"})
    )
    moved = [found[key] for key in ids if key in found]
    for state in moved:
        change_fields.remember(state)
        step(state)
    await persistence.write(unit, moved)
    await engine.settle(unit, moved)
