"""Round robin (SB18, SB19): customers in list order, assignees in the given order; full agents are skipped."""

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
    """An agent or the queue of a department; exactly one of them is set."""

    agent: Any = None
    department: Any = None


class RoundRobin:
    """Returns the assignees in turn. The shares of those with room differ by at most one."""

    def __init__(self, assignees: Sequence[Assignee], capacity: AgentCapacity, *, start: int = 0) -> None:
        self.assignees = assignees
        self.capacity = capacity
        self.turn = start

    @property
    def stored_form(self) -> list[list[str]]:
        """The assignees in the form stored with a job."""
        return [
            ["agent", assignee.agent.id.hex()]
            if assignee.agent is not None
            else ["department", assignee.department.id.hex()]
            for assignee in self.assignees
        ]

    def next_assignee(self) -> Assignee | None:
        """The next assignee with room; None if all are full."""
        for _ in self.assignees:
            assignee = self.assignees[self.turn % len(self.assignees)]
            self.turn += 1
            if assignee.agent is None or not self.capacity.is_full(assignee.agent):
                return assignee
        return None


async def load_assignees(unit: UnitOfWork, data: InputData, path: Path, *, without: bytes | None = None) -> RoundRobin:
    """Loads and locks the assignees: the given agents, then the active members of the given departments or, in QUEUE
    mode, the departments.

    Each appears once; the agent `without` is left out. Raises InputError INVALID if nothing is given, and NOT_FOUND,
    AGENT_INACTIVE or DEPARTMENT_EMPTY at the item."""
    agent_wire_ids = check_list_length(data.get("agents"), (*path, "agents"))
    department_wire_ids = check_list_length(data.get("departments"), (*path, "departments"))
    if not agent_wire_ids and not department_wire_ids:
        raise InputError(ErrorCode.INVALID, "Choose the agents or departments to assign to.", path)
    agents_by_id = (
        await agents.by_ids(unit.transaction, memberships.decode_ids(agent_wire_ids, "Agent")) if agent_wire_ids else {}
    )
    agent_ids = memberships.decode_known_ids(agent_wire_ids, "Agent", agents_by_id, (*path, "agents"))
    departments_by_id = (
        await departments.by_ids(unit.transaction, memberships.decode_ids(department_wire_ids, "Department"))
        if department_wire_ids
        else {}
    )
    department_ids = memberships.decode_known_ids(
        department_wire_ids, "Department", departments_by_id, (*path, "departments")
    )
    is_queued = (await unit.settings()).department_assignment == DepartmentAssignment.QUEUE
    members = (
        {}
        if is_queued
        else await _load_members(unit, department_ids, departments_by_id, department_wire_ids, path, without)
    )
    capacity = await lock_agents(unit, list(dict.fromkeys([*agent_ids, *members])))
    for index, wire_id in enumerate(agent_wire_ids):
        agent = capacity.agents[memberships.decode_ids([wire_id], "Agent")[0]]
        if not agent.active or agent.id == without:
            message = f"{agent.name} is not active any more; choose another agent."
            raise InputError(ErrorCode.AGENT_INACTIVE, message, (*path, "agents", index))
    agent_assignees = [
        Assignee(agent=agent) for agent in map(capacity.agents.__getitem__, [*agent_ids, *members]) if agent.active
    ]
    department_assignees = (
        [Assignee(department=departments_by_id[department_id]) for department_id in department_ids] if is_queued else []
    )
    assignees_by_id = {
        (assignee.agent or assignee.department).id: assignee for assignee in [*agent_assignees, *department_assignees]
    }
    return RoundRobin(list(assignees_by_id.values()), capacity)


async def _load_members(
    unit: UnitOfWork,
    department_ids: Sequence[bytes],
    departments_by_id: Any,
    wire_ids: Sequence[str],
    path: Path,
    without: bytes | None,
) -> dict[bytes, None]:
    """The active members of the departments, in the order of the departments."""
    rows_by_department = await departments.active_members(unit.transaction, department_ids) if department_ids else {}
    member_ids = {
        department_id: [row.id for row in rows_by_department.get(department_id, []) if row.id != without]
        for department_id in department_ids
    }
    for index, wire_id in enumerate(wire_ids):
        identifier = memberships.decode_ids([wire_id], "Department")[0]
        if not member_ids[identifier]:
            message = f"“{departments_by_id[identifier].name}” has no active agent; choose another department."
            raise InputError(ErrorCode.DEPARTMENT_EMPTY, message, (*path, "departments", index))
    return {key: None for department_id in department_ids for key in member_ids[department_id]}
