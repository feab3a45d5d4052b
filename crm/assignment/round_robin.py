"""Assigning evenly by turns (SB18, SB19): customers in list order, seats in the order given, full ones passed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.access import memberships
from crm.assignment.stages import AgentCapacity, lock_agents
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.validation import InputData, check_list_length
from db.queries.catalogue import agents, departments
from db.tables.enums import DepartmentAssignment


@dataclass(frozen=True, slots=True)
class Assignee:
    """An agent, or the queue of a department: one of them is set."""

    agent: Any = None
    department: Any = None


class RoundRobin:
    """Whose turn is next. The shares of those who are not full differ by one at most."""

    def __init__(self, seats: Sequence[Assignee], crew: AgentCapacity, *, start: int = 0) -> None:
        self.assignees = seats
        self.capacity = crew
        self.turn = start

    @property
    def stored_form(self) -> list[list[str]]:
        """Who takes turns, as it is kept with a job."""
        return [
            ["agent", seat.agent.id.hex()] if seat.agent is not None else ["department", seat.department.id.hex()]
            for seat in self.assignees
        ]

    def next_assignee(self) -> Assignee | None:
        """None where all are full."""
        for _ in self.assignees:
            seat = self.assignees[self.turn % len(self.assignees)]
            self.turn += 1
            if seat.agent is None or not self.capacity.is_full(seat.agent):
                return seat
        return None


async def load_assignees(unit: UnitOfWork, given: InputData, path: Path, *, without: bytes | None = None) -> RoundRobin:
    """The agents named, then the active members of the departments named, or their queues where the workspace wants
    that; each once, and never the agent `without`. All of them are held until the act ends.

    Raises InputError INVALID where nobody is named, NOT_FOUND, AGENT_INACTIVE and DEPARTMENT_EMPTY at the one.
    """
    people = check_list_length(given.get("agents"), (*path, "agents"))
    places = check_list_length(given.get("departments"), (*path, "departments"))
    if not people and not places:
        raise InputError(ErrorCode.INVALID, "Name the agents or departments to assign to.", path)
    known = await agents.by_ids(unit.transaction, memberships.decode_ids(people, "Agent")) if people else {}
    named = memberships.decode_known_ids(people, "Agent", known, (*path, "agents"))
    areas = await departments.by_ids(unit.transaction, memberships.decode_ids(places, "Department")) if places else {}
    chosen = memberships.decode_known_ids(places, "Department", areas, (*path, "departments"))
    queued = (await unit.settings()).department_assignment == DepartmentAssignment.QUEUE
    members = {} if queued else await _members(unit, chosen, areas, places, path, without)
    team = await lock_agents(unit, list(dict.fromkeys([*named, *members])))
    for place, wire_id in enumerate(people):
        agent = team.agents[memberships.decode_ids([wire_id], "Agent")[0]]
        if not agent.active or agent.id == without:
            message = f"{agent.name} is not active any more; choose another agent."
            raise InputError(ErrorCode.AGENT_INACTIVE, message, (*path, "agents", place))
    sitting = [Assignee(agent=agent) for agent in map(team.agents.__getitem__, [*named, *members]) if agent.active]
    queues = [Assignee(department=areas[one]) for one in chosen] if queued else []
    each = {(seat.agent or seat.department).id: seat for seat in [*sitting, *queues]}
    return RoundRobin(list(each.values()), team)


async def _members(
    unit: UnitOfWork,
    chosen: Sequence[bytes],
    areas: Any,
    wire_ids: Sequence[str],
    path: Path,
    without: bytes | None,
) -> dict[bytes, None]:
    """Who works in the departments, in their order."""
    found = await departments.active_members(unit.transaction, chosen) if chosen else {}
    working = {one: [row.id for row in found.get(one, []) if row.id != without] for one in chosen}
    for place, wire_id in enumerate(wire_ids):
        identifier = memberships.decode_ids([wire_id], "Department")[0]
        if not working[identifier]:
            message = f"No active agent works in “{areas[identifier].name}”; choose another department."
            raise InputError(ErrorCode.DEPARTMENT_EMPTY, message, (*path, "departments", place))
    return {key: None for one in chosen for key in working[one]}
