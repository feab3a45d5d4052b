"""Owners and stages: assigning and releasing customers (SB18-SB23).

NEW --verify--> TO_BE_ASSIGNED --assign--> FOLLOW_UP (owner) --release--> POOL --claim, assign--> FOLLOW_UP
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crm.customers import preconditions
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, LimitError, Path, TransitionError, counted
from crm.unit_of_work import UnitOfWork
from db.queries.catalogue import agents
from db.queries.customers import customers
from db.tables.enums import CustomerStage

NEXT_STAGES: Final[Mapping[CustomerStage, tuple[CustomerStage, ...]]] = {
    CustomerStage.NEW: (CustomerStage.TO_BE_ASSIGNED,),
    CustomerStage.TO_BE_ASSIGNED: (CustomerStage.FOLLOW_UP,),
    CustomerStage.FOLLOW_UP: (CustomerStage.TO_BE_ASSIGNED, CustomerStage.POOL),
    CustomerStage.POOL: (CustomerStage.FOLLOW_UP,),
}
"""The stages that a customer can move to from each stage."""


@dataclass(slots=True)
class AgentCapacity:
    """Agents that may receive customers in this unit of work: locked until it ends, with the number of customers that
    each owns."""

    agents: Mapping[bytes, Any]
    owned: dict[bytes, int]
    departments: Mapping[bytes, tuple[bytes, ...]]
    limit: int | None

    def limit_of(self, agent: Any) -> int | None:
        """The maximum number of customers of the agent; None if there is no limit."""
        return self.limit if agent.max_customers is None else int(agent.max_customers)

    def is_full(self, agent: Any) -> bool:
        limit = self.limit_of(agent)
        return limit is not None and self.owned.get(agent.id, 0) >= limit


async def lock_agents(unit: UnitOfWork, agent_ids: Collection[bytes]) -> AgentCapacity:
    """Locks these agents. Other units of work that would assign customers to them wait."""
    ids = list(dict.fromkeys(agent_ids))
    if not ids:
        return AgentCapacity({}, {}, {}, None)
    agents_by_id = await agents.lock_by_ids(unit.transaction, ids)
    memberships_by_agent = await agents.departments_by_agent(unit.transaction, ids)
    return AgentCapacity(
        agents=agents_by_id,
        owned=dict(await customers.owned_counts(unit.transaction, ids)),
        departments={key: tuple(row.department_id for row in rows) for key, rows in memberships_by_agent.items()},
        limit=(await unit.settings()).max_customers_per_agent,
    )


def assign(unit: UnitOfWork, state: LoadedCustomer, agent_id: bytes, capacity: AgentCapacity, path: Path) -> bool:
    """Assigns the customer to the agent; returns False if the agent already owns the customer.

    Raises InputError CUSTOMER_BLOCKED, AGENT_INACTIVE, LimitError AGENT_AT_CAPACITY, TransitionError. The caller has
    checked that the customer is not archived."""
    row, agent = state.row, capacity.agents[agent_id]
    if row.owner_id == agent_id:
        return False
    preconditions.check_not_blocked(unit, state, path)
    if row.stage == CustomerStage.NEW and not state.is_new:
        raise TransitionError(CustomerStage.NEW, CustomerStage.FOLLOW_UP, NEXT_STAGES[CustomerStage.NEW], path)
    if not agent.active:
        raise InputError(ErrorCode.AGENT_INACTIVE, f"{agent.name} is not active any more; choose another agent.", path)
    if capacity.is_full(agent):
        raise _capacity_error(capacity, agent, path)
    if not state.is_archived:
        _change_count(capacity, row.owner_id, -1)
        _change_count(capacity, agent_id, 1)
    if row.owner_id is not None:
        row.previous_owner_id = row.owner_id
    row.owner_id, row.owned_since, row.stage = agent_id, unit.now, int(CustomerStage.FOLLOW_UP)
    departments = capacity.departments.get(agent_id, ())
    if row.department_id not in departments:
        row.department_id = departments[0] if departments else None
    return True


def release(unit: UnitOfWork, state: LoadedCustomer, to: CustomerStage, path: Path = ()) -> bool:
    """Takes the customer from their owner into the pool or to TO_BE_ASSIGNED; returns False if they are already there.
    Raises TransitionError."""
    row = state.row
    if row.stage == to:
        return False
    if row.stage != CustomerStage.FOLLOW_UP:
        raise TransitionError(CustomerStage(row.stage), to, NEXT_STAGES[CustomerStage(row.stage)], path)
    row.previous_owner_id, row.owner_id, row.owned_since = row.owner_id, None, None
    row.released_at, row.stage, row.follow_up_stage = unit.now, int(to), None
    return True


def _capacity_error(capacity: AgentCapacity, agent: Any, path: Path) -> LimitError:
    limit = capacity.limit_of(agent) or 0
    message = (
        f"{agent.name} can own at most {counted(limit, 'customer')} and has reached this limit; choose another agent."
    )
    current = capacity.owned.get(agent.id, 0) + 1
    return LimitError(message, path, limit=limit, current=current, code=ErrorCode.AGENT_AT_CAPACITY)


def _change_count(capacity: AgentCapacity, agent_id: bytes | None, change: int) -> None:
    if agent_id is not None and agent_id in capacity.agents:
        capacity.owned[agent_id] = capacity.owned.get(agent_id, 0) + change
