"""Owners and stages: who looks after a customer, and how customers move between people (SB18-SB23).

NEW --verify--> TO_BE_ASSIGNED --assign--> FOLLOW_UP (owner) --release--> POOL --claim, assign--> FOLLOW_UP
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, LimitError, Path, TransitionError
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
"""Where a customer can go from a stage."""


@dataclass(slots=True)
class AgentCapacity:
    """Agents who may be given customers in this act: held until it ends, with how many customers each has."""

    agents: Mapping[bytes, Any]
    owned: dict[bytes, int]
    departments: Mapping[bytes, tuple[bytes, ...]]
    limit: int | None

    def limit_of(self, agent: Any) -> int | None:
        """How many customers the agent takes at most; None for any number."""
        return self.limit if agent.max_customers is None else int(agent.max_customers)

    def is_full(self, agent: Any) -> bool:
        limit = self.limit_of(agent)
        return limit is not None and self.owned.get(agent.id, 0) >= limit


async def lock_agents(unit: UnitOfWork, agent_ids: Collection[bytes]) -> AgentCapacity:
    """Those agents; whoever else would give them customers waits for this act."""
    ids = list(dict.fromkeys(agent_ids))
    if not ids:
        return AgentCapacity({}, {}, {}, None)
    found = await agents.lock_by_ids(unit.transaction, ids)
    places = await agents.departments_by_agent(unit.transaction, ids)
    return AgentCapacity(
        agents=found,
        owned=dict(await customers.owned_counts(unit.transaction, ids)),
        departments={key: tuple(row.department_id for row in rows) for key, rows in places.items()},
        limit=(await unit.settings()).max_customers_per_agent,
    )


def assign(unit: UnitOfWork, state: LoadedCustomer, agent_id: bytes, crew: AgentCapacity, path: Path) -> bool:
    """Gives the customer to the agent; False where he has him already. Archived and blocked are judged here, before
    the rule. Raises InputError AGENT_INACTIVE, LimitError AGENT_AT_CAPACITY, TransitionError."""
    row, agent = state.row, crew.agents[agent_id]
    if row.owner_id == agent_id:
        return False
    if state.is_blocked(unit.now):
        message = f"“{row.name}” is blocked and cannot be assigned; unblock the customer first."
        raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, path)
    if row.stage == CustomerStage.NEW and not state.is_new:
        raise TransitionError(CustomerStage.NEW, CustomerStage.FOLLOW_UP, NEXT_STAGES[CustomerStage.NEW], path)
    if not agent.active:
        raise InputError(ErrorCode.AGENT_INACTIVE, f"{agent.name} is not active any more; choose another agent.", path)
    if crew.is_full(agent):
        raise _at_capacity(crew, agent, path)
    if not state.is_archived:
        _count(crew, row.owner_id, -1)
        _count(crew, agent_id, 1)
    if row.owner_id is not None:
        row.previous_owner_id = row.owner_id
    row.owner_id, row.owned_since, row.stage = agent_id, unit.now, int(CustomerStage.FOLLOW_UP)
    places = crew.departments.get(agent_id, ())
    if row.department_id not in places:
        row.department_id = places[0] if places else None
    return True


def release(unit: UnitOfWork, state: LoadedCustomer, to: CustomerStage, path: Path = ()) -> bool:
    """Takes the customer from his owner, into the pool or back among those who wait; False where he is there already.
    Raises TransitionError."""
    row = state.row
    if row.stage == to:
        return False
    if row.stage != CustomerStage.FOLLOW_UP:
        raise TransitionError(CustomerStage(row.stage), to, NEXT_STAGES[CustomerStage(row.stage)], path)
    row.previous_owner_id, row.owner_id, row.owned_since = row.owner_id, None, None
    row.released_at, row.stage, row.follow_up_stage = unit.now, int(to), None
    return True


def _at_capacity(crew: AgentCapacity, agent: Any, path: Path) -> LimitError:
    limit = crew.limit_of(agent) or 0
    message = f"{agent.name} takes at most {limit} customers; this would be one too many. Choose another agent."
    current = crew.owned.get(agent.id, 0) + 1
    return LimitError(message, path, limit=limit, current=current, code=ErrorCode.AGENT_AT_CAPACITY)


def _count(crew: AgentCapacity, agent_id: bytes | None, more: int) -> None:
    if agent_id is not None and agent_id in crew.agents:
        crew.owned[agent_id] = crew.owned.get(agent_id, 0) + more
