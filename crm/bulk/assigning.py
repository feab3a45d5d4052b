"""Assigning many customers evenly, by turns (SB18, SB19), and claiming them from the pool."""

from collections.abc import Sequence
from typing import Any

from crm.access import permissions
from crm.assignment import round_robin, stages
from crm.assignment.claims import DAY, is_cooling_down, start_of_day
from crm.assignment.round_robin import Assignee, RoundRobin
from crm.assignment.stages import NEXT_STAGES, AgentCapacity
from crm.bulk import chunk as each
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, Forbidden, InputError, LimitError, Path, TransitionError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from crm.validation import InputData
from db import tables
from db.queries.assignment import claims
from db.queries.catalogue import departments
from db.rows import new_row
from db.tables.enums import CustomerStage, JobKind, Permission
from db.visibility import Visibility


async def assignee_ids(unit: UnitOfWork, given: InputData) -> list[list[str]]:
    """Who takes turns, as it is kept with the job. Raises what turns.seats raises."""
    return (await round_robin.load_assignees(unit, given, ("to",))).stored_form


@job_handler(JobKind.ASSIGN, Permission.CUSTOMER_ASSIGN)
async def assign_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Customers in their order, agents in theirs; whose turn it is, is kept between chunks."""
    chunk = await each.load_chunk(unit, task, items, {"block"}, visibility=each.visibility_of(task))
    each.check_chunk(unit, chunk, foreign=True)
    sitting = await _sitting(unit, task)
    shares: dict[str, int] = task.state.setdefault("shares", {})

    def take(state: LoadedCustomer, item: JobItem) -> bool:
        path = task.path(item)
        _assignable(unit, state, path)
        seat = _seat(sitting, state, path)
        if seat.agent is None:
            return _queue(unit, state, seat, path)
        if not stages.assign(unit, state, seat.agent.id, sitting.capacity, path):
            return False
        shares[seat.agent.id.hex()] = shares.get(seat.agent.id.hex(), 0) + 1
        return True

    each.apply_step(chunk, take)
    task.state["turn"] = sitting.turn
    return await each.write_chunk(unit, chunk)


async def _sitting(unit: UnitOfWork, task: JobTask) -> RoundRobin:
    """Those who are active still."""
    named = [(kind, bytes.fromhex(identifier)) for kind, identifier in task.arguments["seats"]]
    crew = await stages.lock_agents(unit, [one for kind, one in named if kind == "agent"])
    areas = await departments.by_ids(unit.transaction, [one for kind, one in named if kind == "department"])
    found = []
    for kind, one in named:
        if kind == "agent" and one in crew.agents and crew.agents[one].active:
            found.append(Assignee(agent=crew.agents[one]))
        elif kind == "department" and one in areas:
            found.append(Assignee(department=areas[one]))
    if task.dry_run:
        # What earlier chunks would have given them is not theirs in the database.
        for one, count in task.state.get("shares", {}).items():
            crew.owned[bytes.fromhex(one)] = crew.owned.get(bytes.fromhex(one), 0) + count
    return RoundRobin(found, crew, start=task.state.get("turn", 0))


def _assignable(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """What would be refused whoever's turn it is, so that no turn is lost on it."""
    if state.is_blocked(unit.now):
        message = f"“{state.row.name}” is blocked and cannot be assigned; unblock the customer first."
        raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, path)
    if state.row.stage == CustomerStage.NEW:
        raise TransitionError(CustomerStage.NEW, CustomerStage.FOLLOW_UP, NEXT_STAGES[CustomerStage.NEW], path)


def _seat(sitting: RoundRobin, state: LoadedCustomer, path: Path) -> Assignee:
    """Whose turn it is. With one seat only, it is his who has the customer already, full or not."""
    if len(sitting.assignees) == 1 and _owns(sitting.assignees[0], state):
        return sitting.assignees[0]
    seat = sitting.next_assignee()
    if seat is None:
        own = [one for one in sitting.assignees if _owns(one, state)]
        if own:
            return own[0]
        raise _full(sitting.assignees, sitting.capacity, path)
    return seat


def _owns(seat: Assignee, state: LoadedCustomer) -> bool:
    return seat.agent is not None and state.row.owner_id == seat.agent.id


def _full(seats: Sequence[Assignee], crew: AgentCapacity, path: Path) -> InputError:
    if not seats:
        message = "None of these agents is active any more; choose others."
        return InputError(ErrorCode.AGENT_INACTIVE, message, path)
    limit = sum(crew.limit_of(seat.agent) or 0 for seat in seats)
    current = sum(crew.owned.get(seat.agent.id, 0) for seat in seats) + 1
    message = f"These agents take at most {limit} customers together; this would be one too many. Name more agents."
    return LimitError(message, path, limit=limit, current=current, code=ErrorCode.AGENT_AT_CAPACITY)


def _queue(unit: UnitOfWork, state: LoadedCustomer, seat: Assignee, path: Path) -> bool:
    """Waits in the department's queue."""
    row = state.row
    if row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id == seat.department.id:
        return False
    stages.release(unit, state, CustomerStage.TO_BE_ASSIGNED, path)
    row.department_id = seat.department.id
    return True


# ── claiming ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_claimable(viewer: permissions.Viewer, row: Any) -> bool:
    """In the pool, or waiting in a department of the viewer's own."""
    queued = row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id in viewer.department_ids
    return bool(row.stage == CustomerStage.POOL or queued)


@job_handler(JobKind.CLAIM, Permission.CUSTOMER_CLAIM)
async def claim_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """From the pool, or the viewer's department queue, to the viewer. Of two who claim at once one wins. Raises
    Forbidden for keys, which claim nobody."""
    agent_id = unit.viewer.agent_id
    if agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    crew = await stages.lock_agents(unit, [agent_id])
    # Whoever was in sight when the job began may have gone to somebody else: that is told, too.
    chunk = await each.load_chunk(unit, task, items, {"block"}, visibility=Visibility(sees_all=True))
    _hide(unit, task, chunk)
    each.check_chunk(unit, chunk, foreign=True)
    claiming = await _Claiming.of(unit, task, crew)
    each.apply_step(chunk, claiming.claim)
    each_new = [
        new_row(tables.Claim, workspace_id=unit.workspace_id, agent_id=agent_id, at=unit.now) for _ in chunk.undecided()
    ]
    await unit.transaction.insert(*each_new)
    task.state["claimed"] = task.state.get("claimed", 0) + len(each_new)
    return await each.write_chunk(unit, chunk)


def _hide(unit: UnitOfWork, task: JobTask, chunk: each.CustomerChunk) -> None:
    """Who was named by id and was never in sight is not there."""
    if "ids" not in (task.job.target or {}) or unit.viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        return
    seen = {bytes.fromhex(one) for one in task.state.get("claimable", ())}
    for item, state in chunk.undecided():
        row = state.row
        own = permissions.is_owner(unit.viewer, row)
        if state.id not in seen and not own and not is_claimable(unit.viewer, row):
            chunk.fail(
                item,
                InputError(
                    ErrorCode.NOT_FOUND, f"There is no customer “{task.id_as_given(item)}” here.", task.path(item)
                ),
            )


class _Claiming:
    """The claims of one chunk: how many the agent has today, and for whom he has to wait."""

    def __init__(self, unit: UnitOfWork, task: JobTask, crew: AgentCapacity, settings: Any, today: int) -> None:
        self.unit = unit
        self.task = task
        self.crew = crew
        self.limit = settings.pool_daily_claim_limit
        self.cooldown = settings.pool_reclaim_cooldown_days * DAY
        self.today = today
        self.seen = {bytes.fromhex(one) for one in task.state.get("claimable", ())}

    @classmethod
    async def of(cls, unit: UnitOfWork, task: JobTask, crew: AgentCapacity) -> "_Claiming":
        settings = await unit.settings()
        assert unit.viewer.agent_id is not None
        today = await claims.count_since(unit.transaction, unit.viewer.agent_id, start_of_day(settings, unit.now))
        return cls(unit, task, crew, settings, today + (task.state.get("claimed", 0) if task.dry_run else 0))

    def claim(self, state: LoadedCustomer, item: JobItem) -> bool:
        row, path, agent_id = state.row, self.task.path(item), self.unit.viewer.agent_id
        assert agent_id is not None
        if row.owner_id == agent_id:
            return False
        if state.is_blocked(self.unit.now):
            message = f"“{row.name}” is blocked and cannot be claimed; unblock the customer first."
            raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, path)
        if not is_claimable(self.unit.viewer, row):
            raise self._gone(state, path)
        self._cool(row, path)
        if self.limit is not None and self.today >= self.limit:
            message = f"You may claim {self.limit} customers a day; this would be one too many. Go on tomorrow."
            raise LimitError(message, path, limit=self.limit, current=self.today + 1, code=ErrorCode.CLAIM_LIMIT)
        stages.assign(self.unit, state, agent_id, self.crew, path)
        self.today += 1
        return True

    def _gone(self, state: LoadedCustomer, path: Path) -> InputError:
        row = state.row
        lost = state.id in self.seen or (row.owned_since or 0) >= self.task.job.created_at
        if row.owner_id is not None and lost:
            return InputError(ErrorCode.ALREADY_CLAIMED, f"Somebody else was faster with “{row.name}”.", path)
        stage = CustomerStage(row.stage)
        if stage is CustomerStage.TO_BE_ASSIGNED and row.department_id is not None:
            message = f"“{row.name}” waits in a department that you do not work in."
            return InputError(ErrorCode.AGENT_NOT_IN_DEPARTMENT, message, path)
        return TransitionError(stage, CustomerStage.FOLLOW_UP, [], path)

    def _cool(self, row: Any, path: Path) -> None:
        if is_cooling_down(row, self.unit.viewer.agent_id, self.cooldown, self.unit.now):
            days = self.cooldown // DAY
            message = f"You looked after “{row.name}” before; you may claim again {days} days after the release."
            raise InputError(ErrorCode.CLAIM_COOLDOWN, message, path)
