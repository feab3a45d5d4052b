"""Assigning many customers by round robin (SB18, SB19), and claiming them from the pool."""

from collections.abc import Sequence
from typing import Any

from crm.access import permissions
from crm.assignment import round_robin, stages
from crm.assignment.claims import is_cooling_down, start_of_day
from crm.assignment.round_robin import Assignee, RoundRobin
from crm.assignment.stages import NEXT_STAGES, AgentCapacity
from crm.bulk import chunk as each
from crm.customers import preconditions
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, Forbidden, InputError, LimitError, Path, TransitionError, counted
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from crm.validation import InputData
from db import tables
from db.queries.assignment import claims
from db.queries.catalogue import departments
from db.rows import new_row
from db.tables.enums import CustomerStage, JobKind, Permission
from db.values.time_units import MS_PER_DAY
from db.visibility import Visibility


async def assignee_ids(unit: UnitOfWork, data: InputData) -> list[list[str]]:
    """The assignees in the form stored with the job. Raises the errors of `round_robin.load_assignees`."""
    return (await round_robin.load_assignees(unit, data, ("to",))).stored_form


@job_handler(JobKind.ASSIGN, Permission.CUSTOMER_ASSIGN)
async def assign_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Assigns the customers in their order to the agents in theirs. The job state keeps the next turn between
    chunks."""
    chunk = await each.load_chunk(unit, task, items, {"block"}, visibility=each.visibility_of(task))
    each.check_chunk(unit, chunk, foreign=True)
    rotation = await _load_rotation(unit, task)
    shares: dict[str, int] = task.state.setdefault("shares", {})

    def assign(state: LoadedCustomer, item: JobItem) -> bool:
        path = task.path(item)
        _check_assignable(unit, state, path)
        assignee = _next_assignee(rotation, state, path)
        if assignee.agent is None:
            return _move_to_queue(unit, state, assignee, path)
        if not stages.assign(unit, state, assignee.agent.id, rotation.capacity, path):
            return False
        shares[assignee.agent.id.hex()] = shares.get(assignee.agent.id.hex(), 0) + 1
        return True

    each.apply_step(chunk, assign)
    task.state["turn"] = rotation.turn
    return await each.write_chunk(unit, chunk)


async def _load_rotation(unit: UnitOfWork, task: JobTask) -> RoundRobin:
    """Loads the assignees that are still active."""
    references = [(kind, bytes.fromhex(identifier)) for kind, identifier in task.arguments["seats"]]
    capacity = await stages.lock_agents(unit, [identifier for kind, identifier in references if kind == "agent"])
    departments_by_id = await departments.by_ids(
        unit.transaction, [identifier for kind, identifier in references if kind == "department"]
    )
    assignees = []
    for kind, identifier in references:
        if kind == "agent" and identifier in capacity.agents and capacity.agents[identifier].active:
            assignees.append(Assignee(agent=capacity.agents[identifier]))
        elif kind == "department" and identifier in departments_by_id:
            assignees.append(Assignee(department=departments_by_id[identifier]))
    if task.dry_run:
        # The dry run rolled back the assignments of earlier chunks, so their counts are added here.
        for agent_id, count in task.state.get("shares", {}).items():
            owner_id = bytes.fromhex(agent_id)
            capacity.owned[owner_id] = capacity.owned.get(owner_id, 0) + count
    return RoundRobin(assignees, capacity, start=task.state.get("turn", 0))


def _check_assignable(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """Raises the errors that do not depend on the assignee, so that these customers do not use up a turn."""
    preconditions.check_not_blocked(unit, state, path)
    if state.row.stage == CustomerStage.NEW:
        raise TransitionError(CustomerStage.NEW, CustomerStage.FOLLOW_UP, NEXT_STAGES[CustomerStage.NEW], path)


def _next_assignee(rotation: RoundRobin, state: LoadedCustomer, path: Path) -> Assignee:
    """The assignee whose turn it is. A single assignee keeps the customers that they already own, even at full
    capacity."""
    if len(rotation.assignees) == 1 and _owns(rotation.assignees[0], state):
        return rotation.assignees[0]
    assignee = rotation.next_assignee()
    if assignee is None:
        owners = [candidate for candidate in rotation.assignees if _owns(candidate, state)]
        if owners:
            return owners[0]
        raise _capacity_error(rotation.assignees, rotation.capacity, path)
    return assignee


def _owns(assignee: Assignee, state: LoadedCustomer) -> bool:
    return assignee.agent is not None and state.row.owner_id == assignee.agent.id


def _capacity_error(assignees: Sequence[Assignee], capacity: AgentCapacity, path: Path) -> InputError:
    if not assignees:
        message = "None of these agents is active any more; choose other agents."
        return InputError(ErrorCode.AGENT_INACTIVE, message, path)
    limit = sum(capacity.limit_of(assignee.agent) or 0 for assignee in assignees)
    current = sum(capacity.owned.get(assignee.agent.id, 0) for assignee in assignees) + 1
    message = (
        f"These agents can own at most {counted(limit, 'customer')} together, and this would make {current}; "
        "choose more agents."
    )
    return LimitError(message, path, limit=limit, current=current, code=ErrorCode.AGENT_AT_CAPACITY)


def _move_to_queue(unit: UnitOfWork, state: LoadedCustomer, assignee: Assignee, path: Path) -> bool:
    """Moves the customer to the department's queue."""
    row = state.row
    if row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id == assignee.department.id:
        return False
    stages.release(unit, state, CustomerStage.TO_BE_ASSIGNED, path)
    row.department_id = assignee.department.id
    return True


# ── claiming ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_claimable(viewer: permissions.Viewer, row: Any) -> bool:
    """Whether the customer is in the pool or in the queue of one of the viewer's departments."""
    queued = row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id in viewer.department_ids
    return bool(row.stage == CustomerStage.POOL or queued)


@job_handler(JobKind.CLAIM, Permission.CUSTOMER_CLAIM)
async def claim_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Assigns customers from the pool or from the viewer's department queue to the viewer. If two agents claim a
    customer at once, the first one gets it. Raises Forbidden for API keys, which cannot own customers."""
    agent_id = unit.viewer.agent_id
    if agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    capacity = await stages.lock_agents(unit, [agent_id])
    # Customers that others claimed since the job began must be visible here, so that they get their own error.
    chunk = await each.load_chunk(unit, task, items, {"block"}, visibility=Visibility(sees_all=True))
    _fail_hidden(unit, task, chunk)
    each.check_chunk(unit, chunk, foreign=True)
    claimer = await _Claimer.load(unit, task, capacity)
    each.apply_step(chunk, claimer.claim)
    claim_rows = [
        new_row(tables.Claim, workspace_id=unit.workspace_id, agent_id=agent_id, at=unit.now) for _ in chunk.undecided()
    ]
    await unit.transaction.insert(*claim_rows)
    task.state["claimed"] = task.state.get("claimed", 0) + len(claim_rows)
    return await each.write_chunk(unit, chunk)


def _fail_hidden(unit: UnitOfWork, task: JobTask, chunk: each.CustomerChunk) -> None:
    """Reports customers as not found if their ids were given but the viewer could never see them."""
    if "ids" not in (task.job.target or {}) or unit.viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        return
    claimable_ids = {bytes.fromhex(identifier) for identifier in task.state.get("claimable", ())}
    for item, state in chunk.undecided():
        row = state.row
        is_own = permissions.is_owner(unit.viewer, row)
        if state.id not in claimable_ids and not is_own and not is_claimable(unit.viewer, row):
            chunk.fail(
                item,
                InputError(
                    ErrorCode.NOT_FOUND,
                    f"There is no customer “{task.id_as_given(item)}” in this workspace.",
                    task.path(item),
                ),
            )


class _Claimer:
    """The claims of one chunk: it checks the agent's daily limit and the cooldown per customer."""

    def __init__(self, unit: UnitOfWork, task: JobTask, capacity: AgentCapacity, settings: Any, today: int) -> None:
        self.unit = unit
        self.task = task
        self.capacity = capacity
        self.limit = settings.pool_daily_claim_limit
        self.cooldown = settings.pool_reclaim_cooldown_days * MS_PER_DAY
        self.today = today
        self.claimable_ids = {bytes.fromhex(identifier) for identifier in task.state.get("claimable", ())}

    @classmethod
    async def load(cls, unit: UnitOfWork, task: JobTask, capacity: AgentCapacity) -> "_Claimer":
        settings = await unit.settings()
        assert unit.viewer.agent_id is not None
        today = await claims.count_since(unit.transaction, unit.viewer.agent_id, start_of_day(settings, unit.now))
        return cls(unit, task, capacity, settings, today + (task.state.get("claimed", 0) if task.dry_run else 0))

    def claim(self, state: LoadedCustomer, item: JobItem) -> bool:
        row, path, agent_id = state.row, self.task.path(item), self.unit.viewer.agent_id
        assert agent_id is not None
        if row.owner_id == agent_id:
            return False
        preconditions.check_not_blocked(self.unit, state, path, "claimed")
        if not is_claimable(self.unit.viewer, row):
            raise self._unclaimable_error(state, path)
        self._check_cooldown(row, path)
        if self.limit is not None and self.today >= self.limit:
            message = (
                f"You can claim at most {counted(self.limit, 'customer')} a day and have reached this limit; "
                "continue tomorrow."
            )
            raise LimitError(message, path, limit=self.limit, current=self.today + 1, code=ErrorCode.CLAIM_LIMIT)
        stages.assign(self.unit, state, agent_id, self.capacity, path)
        self.today += 1
        return True

    def _unclaimable_error(self, state: LoadedCustomer, path: Path) -> InputError:
        row = state.row
        is_lost = state.id in self.claimable_ids or (row.owned_since or 0) >= self.task.job.created_at
        if row.owner_id is not None and is_lost:
            return InputError(ErrorCode.ALREADY_CLAIMED, f"Somebody else has already claimed “{row.name}”.", path)
        stage = CustomerStage(row.stage)
        if stage is CustomerStage.TO_BE_ASSIGNED and row.department_id is not None:
            message = f"“{row.name}” waits for a department that you do not belong to."
            return InputError(ErrorCode.AGENT_NOT_IN_DEPARTMENT, message, path)
        return TransitionError(stage, CustomerStage.FOLLOW_UP, [], path)

    def _check_cooldown(self, row: Any, path: Path) -> None:
        if is_cooling_down(row, self.unit.viewer.agent_id, self.cooldown, self.unit.now):
            days = self.cooldown // MS_PER_DAY
            message = (
                f"You released “{row.name}” recently; you can claim this customer again {counted(days, 'day')} "
                "after the release."
            )
            raise InputError(ErrorCode.CLAIM_COOLDOWN, message, path)
