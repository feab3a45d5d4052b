"""Assigning many customers evenly, by turns (SB18, SB19), and claiming them from the pool."""

from collections.abc import Sequence
from typing import Any

from crm.access import permissions
from crm.assignment import round_robin, stages
from crm.assignment.claims import DAY, midnight, waits
from crm.assignment.round_robin import Seat, Turns
from crm.assignment.stages import NEXT, Crew
from crm.bulk import chunk as each
from crm.customers.loaded_customer import State
from crm.errors import ErrorCode, Forbidden, InputError, LimitError, Path, TransitionError
from crm.jobs.handlers import Item, Result, Task, verb
from crm.unit_of_work import UnitOfWork
from crm.validation import InputData
from db import tables
from db.queries.assignment import claims
from db.queries.catalogue import departments
from db.rows import new_row
from db.tables.enums import CustomerStage, JobKind, Permission
from db.visibility import Visibility


async def seats(unit: UnitOfWork, given: InputData) -> list[list[str]]:
    """Who takes turns, as it is kept with the job. Raises what turns.seats raises."""
    return (await round_robin.seats(unit, given, ("to",))).plain


@verb(JobKind.ASSIGN, Permission.CUSTOMER_ASSIGN)
async def assign(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """Customers in their order, agents in theirs; whose turn it is, is kept between chunks."""
    chunk = await each.load(unit, task, items, {"block"}, visibility=each.sight_of(task))
    each.judged(unit, chunk, foreign=True)
    sitting = await _sitting(unit, task)
    shares: dict[str, int] = task.state.setdefault("shares", {})

    def take(state: State, item: Item) -> bool:
        path = task.path(item)
        _assignable(unit, state, path)
        seat = _seat(sitting, state, path)
        if seat.agent is None:
            return _queue(unit, state, seat, path)
        if not stages.assign(unit, state, seat.agent.id, sitting.crew, path):
            return False
        shares[seat.agent.id.hex()] = shares.get(seat.agent.id.hex(), 0) + 1
        return True

    each.step(chunk, take)
    task.state["turn"] = sitting.taken
    return await each.write(unit, chunk)


async def _sitting(unit: UnitOfWork, task: Task) -> Turns:
    """Those who are active still."""
    named = [(kind, bytes.fromhex(identifier)) for kind, identifier in task.arguments["seats"]]
    crew = await stages.crew(unit, [one for kind, one in named if kind == "agent"])
    areas = await departments.by_ids(unit.transaction, [one for kind, one in named if kind == "department"])
    found = []
    for kind, one in named:
        if kind == "agent" and one in crew.agents and crew.agents[one].active:
            found.append(Seat(agent=crew.agents[one]))
        elif kind == "department" and one in areas:
            found.append(Seat(department=areas[one]))
    if task.dry_run:
        # What earlier chunks would have given them is not theirs in the database.
        for one, count in task.state.get("shares", {}).items():
            crew.owned[bytes.fromhex(one)] = crew.owned.get(bytes.fromhex(one), 0) + count
    return Turns(found, crew, start=task.state.get("turn", 0))


def _assignable(unit: UnitOfWork, state: State, path: Path) -> None:
    """What would be refused whoever's turn it is, so that no turn is lost on it."""
    if state.blocked(unit.now):
        message = f"“{state.row.name}” is blocked and cannot be assigned; unblock the customer first."
        raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, path)
    if state.row.stage == CustomerStage.NEW:
        raise TransitionError(CustomerStage.NEW, CustomerStage.FOLLOW_UP, NEXT[CustomerStage.NEW], path)


def _seat(sitting: Turns, state: State, path: Path) -> Seat:
    """Whose turn it is. With one seat only, it is his who has the customer already, full or not."""
    if len(sitting.seats) == 1 and _owns(sitting.seats[0], state):
        return sitting.seats[0]
    seat = sitting.next()
    if seat is None:
        own = [one for one in sitting.seats if _owns(one, state)]
        if own:
            return own[0]
        raise _full(sitting.seats, sitting.crew, path)
    return seat


def _owns(seat: Seat, state: State) -> bool:
    return seat.agent is not None and state.row.owner_id == seat.agent.id


def _full(seats: Sequence[Seat], crew: Crew, path: Path) -> InputError:
    if not seats:
        message = "None of these agents is active any more; choose others."
        return InputError(ErrorCode.AGENT_INACTIVE, message, path)
    limit = sum(crew.room_limit(seat.agent) or 0 for seat in seats)
    current = sum(crew.owned.get(seat.agent.id, 0) for seat in seats) + 1
    message = f"These agents take at most {limit} customers together; this would be one too many. Name more agents."
    return LimitError(message, path, limit=limit, current=current, code=ErrorCode.AGENT_AT_CAPACITY)


def _queue(unit: UnitOfWork, state: State, seat: Seat, path: Path) -> bool:
    """Waits in the department's queue."""
    row = state.row
    if row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id == seat.department.id:
        return False
    stages.release(unit, state, CustomerStage.TO_BE_ASSIGNED, path)
    row.department_id = seat.department.id
    return True


# ── claiming ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def claimable(viewer: permissions.Viewer, row: Any) -> bool:
    """In the pool, or waiting in a department of the viewer's own."""
    queued = row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id in viewer.department_ids
    return bool(row.stage == CustomerStage.POOL or queued)


@verb(JobKind.CLAIM, Permission.CUSTOMER_CLAIM)
async def claim(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """From the pool, or the viewer's department queue, to the viewer. Of two who claim at once one wins. Raises
    Forbidden for keys, which claim nobody."""
    agent_id = unit.viewer.agent_id
    if agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    crew = await stages.crew(unit, [agent_id])
    # Whoever was in sight when the job began may have gone to somebody else: that is told, too.
    chunk = await each.load(unit, task, items, {"block"}, visibility=Visibility(sees_all=True))
    _hide(unit, task, chunk)
    each.judged(unit, chunk, foreign=True)
    claiming = await _Claiming.of(unit, task, crew)
    each.step(chunk, claiming.claim)
    each_new = [
        new_row(tables.Claim, workspace_id=unit.workspace_id, agent_id=agent_id, at=unit.now) for _ in chunk.open()
    ]
    await unit.transaction.insert(*each_new)
    task.state["claimed"] = task.state.get("claimed", 0) + len(each_new)
    return await each.write(unit, chunk)


def _hide(unit: UnitOfWork, task: Task, chunk: each.Chunk) -> None:
    """Who was named by id and was never in sight is not there."""
    if "ids" not in (task.job.target or {}) or unit.viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        return
    seen = {bytes.fromhex(one) for one in task.state.get("claimable", ())}
    for item, state in chunk.open():
        row = state.row
        own = permissions.is_owner(unit.viewer, row)
        if state.id not in seen and not own and not claimable(unit.viewer, row):
            chunk.refuse(
                item,
                InputError(ErrorCode.NOT_FOUND, f"There is no customer “{task.named(item)}” here.", task.path(item)),
            )


class _Claiming:
    """The claims of one chunk: how many the agent has today, and for whom he has to wait."""

    def __init__(self, unit: UnitOfWork, task: Task, crew: Crew, settings: Any, today: int) -> None:
        self.unit = unit
        self.task = task
        self.crew = crew
        self.limit = settings.pool_daily_claim_limit
        self.cooldown = settings.pool_reclaim_cooldown_days * DAY
        self.today = today
        self.seen = {bytes.fromhex(one) for one in task.state.get("claimable", ())}

    @classmethod
    async def of(cls, unit: UnitOfWork, task: Task, crew: Crew) -> "_Claiming":
        settings = await unit.settings()
        assert unit.viewer.agent_id is not None
        today = await claims.since(unit.transaction, unit.viewer.agent_id, midnight(settings, unit.now))
        return cls(unit, task, crew, settings, today + (task.state.get("claimed", 0) if task.dry_run else 0))

    def claim(self, state: State, item: Item) -> bool:
        row, path, agent_id = state.row, self.task.path(item), self.unit.viewer.agent_id
        assert agent_id is not None
        if row.owner_id == agent_id:
            return False
        if state.blocked(self.unit.now):
            message = f"“{row.name}” is blocked and cannot be claimed; unblock the customer first."
            raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, path)
        if not claimable(self.unit.viewer, row):
            raise self._gone(state, path)
        self._cool(row, path)
        if self.limit is not None and self.today >= self.limit:
            message = f"You may claim {self.limit} customers a day; this would be one too many. Go on tomorrow."
            raise LimitError(message, path, limit=self.limit, current=self.today + 1, code=ErrorCode.CLAIM_LIMIT)
        stages.assign(self.unit, state, agent_id, self.crew, path)
        self.today += 1
        return True

    def _gone(self, state: State, path: Path) -> InputError:
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
        if waits(row, self.unit.viewer.agent_id, self.cooldown, self.unit.now):
            days = self.cooldown // DAY
            message = f"You looked after “{row.name}” before; you may claim again {days} days after the release."
            raise InputError(ErrorCode.CLAIM_COOLDOWN, message, path)
