"""Hands over the customers of a leaving agent: they are released, or assigned to others by round robin.

A few are moved within the request, all or none. A background job moves many, each on its own, under the same rules."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from crm.assignment import engine, stages
from crm.assignment.round_robin import RoundRobin, load_assignees
from crm.customers import change_fields, loaded_customer, persistence, preconditions
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, LimitError, Path, counted
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

_ASSIGN_PATH: Final = ("customers", "assign")


async def hand_over_customers(unit: UnitOfWork, agent: Any, choice: InputData | None, path: Path) -> Row | None:
    """Takes all customers except archived ones from the locked agent. `choice` is {"assign": {…}} or {"release":
    stage}. Returns the job if there are many.

    Without a choice it raises InputError AGENT_HAS_CUSTOMERS at `path` if there are customers. With a choice it raises
    FORBIDDEN, AGENT_AT_CAPACITY, CUSTOMER_BLOCKED and the errors of `load_assignees`."""
    owned = await customers.owned_ids(unit.transaction, agent.id)
    if choice is None:
        if owned:
            message = (
                f"{agent.name} still owns {counted(len(owned), 'customer')}; assign them to other agents or "
                "release them when you deactivate the agent (`customers`)."
            )
            raise InputError(ErrorCode.AGENT_HAS_CUSTOMERS, message, path)
        return None
    if not unit.viewer.has_permission(Permission.CUSTOMER_ASSIGN):
        message = "Assigning or releasing the customers of another agent needs the permission CUSTOMER_ASSIGN."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    round_robin = None
    if "assign" in choice:
        round_robin = await load_assignees(unit, choice["assign"], _ASSIGN_PATH, without=agent.id)
        _check_capacity(round_robin, len(owned))
    if len(owned) > MAX_INLINE_CUSTOMERS:
        return await _submit_job(unit, agent, choice, round_robin, owned)
    await _move_customers(unit, owned, _customer_step(unit, choice, round_robin))
    return None


async def _submit_job(
    unit: UnitOfWork, agent: Any, choice: InputData, round_robin: RoundRobin | None, owned: Sequence[bytes]
) -> Row:
    """Submits the job. It includes customers that the viewer cannot see."""
    target = Target({"agent": agent.id.hex()}, [JobItem(row, customer_id) for row, customer_id in enumerate(owned)])
    job_options = JobOptions(label=f"Customers of {agent.name}"[: text_values.MAX_NAME_LENGTH])
    leaving = {"leaving": agent.id.hex()}
    if round_robin is None:
        arguments = {"to": int(choice["release"]), "reason": None, **leaving}
        return await submit.submit_job(unit, JobKind.RELEASE, arguments, target, job_options)
    return await submit.submit_job(
        unit, JobKind.ASSIGN, {"seats": round_robin.stored_form, **leaving}, target, job_options
    )


def _customer_step(unit: UnitOfWork, choice: InputData, round_robin: RoundRobin | None) -> CustomerStep:
    if round_robin is None:
        stage = CustomerStage(choice["release"])
        return lambda state: stages.release(unit, state, stage, ("customers", "release"))
    return lambda state: _assign(unit, state, round_robin)


def _check_capacity(round_robin: RoundRobin, count: int) -> None:
    """Raises LimitError if the assignees have no room for that many customers together."""
    if any(assignee.agent is None for assignee in round_robin.assignees):
        return
    room = 0
    for assignee in round_robin.assignees:
        limit = round_robin.capacity.limit_of(assignee.agent)
        if limit is None:
            return
        room += max(0, limit - round_robin.capacity.owned.get(assignee.agent.id, 0))
    if count > room:
        message = (
            f"These agents have room for {counted(room, 'more customer')}, but there are {count}; choose more agents."
        )
        raise LimitError(message, _ASSIGN_PATH, limit=room, current=count, code=ErrorCode.AGENT_AT_CAPACITY)


def _assign(unit: UnitOfWork, state: LoadedCustomer, round_robin: RoundRobin) -> None:
    assignee = round_robin.next_assignee()
    assert assignee is not None
    if assignee.agent is not None:
        stages.assign(unit, state, assignee.agent.id, round_robin.capacity, _ASSIGN_PATH)
        return
    preconditions.check_not_blocked(unit, state, _ASSIGN_PATH)
    stages.release(unit, state, CustomerStage.TO_BE_ASSIGNED, _ASSIGN_PATH)
    state.row.department_id = assignee.department.id


async def _move_customers(unit: UnitOfWork, ids: Sequence[bytes], step: CustomerStep) -> None:
    """Moves the customers with a handful of statements for any number."""
    customers_by_id = await loaded_customer.from_rows(
        unit, await customers.lock_by_ids(unit.transaction, ids, Visibility(sees_all=True)), frozenset({"block"})
    )
    loaded = [customers_by_id[key] for key in ids if key in customers_by_id]
    for state in loaded:
        change_fields.store_original_values(state)
        step(state)
    await persistence.write_customers(unit, loaded)
    await engine.assign_by_rules(unit, loaded)
