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
from crm.errors import ErrorCode, Forbidden, LimitRefused, Path, Refused, TransitionRefused
from crm.jobs.handlers import Item, Result, Task, verb
from crm.unit_of_work import Act
from crm.validation import Given
from db import tables
from db.queries.assignment import claims
from db.queries.catalogue import departments
from db.rows import fresh
from db.tables.enums import CustomerStage, JobKind, Permission
from db.visibility import Sight


async def seats(act: Act, given: Given) -> list[list[str]]:
    """Who takes turns, as it is kept with the job. Raises what turns.seats raises."""
    return (await round_robin.seats(act, given, ("to",))).plain


@verb(JobKind.ASSIGN, Permission.CUSTOMER_ASSIGN)
async def assign(act: Act, task: Task, items: Sequence[Item]) -> list[Result]:
    """Customers in their order, agents in theirs; whose turn it is, is kept between chunks."""
    chunk = await each.load(act, task, items, {"block"}, sight=each.sight_of(task))
    each.judged(act, chunk, foreign=True)
    sitting = await _sitting(act, task)
    shares: dict[str, int] = task.state.setdefault("shares", {})

    def take(state: State, item: Item) -> bool:
        path = task.path(item)
        _assignable(act, state, path)
        seat = _seat(sitting, state, path)
        if seat.agent is None:
            return _queue(act, state, seat, path)
        if not stages.assign(act, state, seat.agent.id, sitting.crew, path):
            return False
        shares[seat.agent.id.hex()] = shares.get(seat.agent.id.hex(), 0) + 1
        return True

    each.step(chunk, take)
    task.state["turn"] = sitting.taken
    return await each.write(act, chunk)


async def _sitting(act: Act, task: Task) -> Turns:
    """Those who are active still."""
    named = [(kind, bytes.fromhex(identifier)) for kind, identifier in task.arguments["seats"]]
    crew = await stages.crew(act, [one for kind, one in named if kind == "agent"])
    areas = await departments.by_ids(act.work, [one for kind, one in named if kind == "department"])
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


def _assignable(act: Act, state: State, path: Path) -> None:
    """What would be refused whoever's turn it is, so that no turn is lost on it."""
    if state.blocked(act.now):
        message = f"“{state.row.name}” is blocked and cannot be assigned; unblock the customer first."
        raise Refused(ErrorCode.CUSTOMER_BLOCKED, message, path)
    if state.row.stage == CustomerStage.NEW:
        raise TransitionRefused(CustomerStage.NEW, CustomerStage.FOLLOW_UP, NEXT[CustomerStage.NEW], path)


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


def _full(seats: Sequence[Seat], crew: Crew, path: Path) -> Refused:
    if not seats:
        message = "None of these agents is active any more; choose others."
        return Refused(ErrorCode.AGENT_INACTIVE, message, path)
    limit = sum(crew.room_limit(seat.agent) or 0 for seat in seats)
    current = sum(crew.owned.get(seat.agent.id, 0) for seat in seats) + 1
    message = f"These agents take at most {limit} customers together; this would be one too many. Name more agents."
    return LimitRefused(message, path, limit=limit, current=current, code=ErrorCode.AGENT_AT_CAPACITY)


def _queue(act: Act, state: State, seat: Seat, path: Path) -> bool:
    """Waits in the department's queue."""
    row = state.row
    if row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id == seat.department.id:
        return False
    stages.release(act, state, CustomerStage.TO_BE_ASSIGNED, path)
    row.department_id = seat.department.id
    return True


# ── claiming ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def claimable(viewer: permissions.Viewer, row: Any) -> bool:
    """In the pool, or waiting in a department of the viewer's own."""
    queued = row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id in viewer.department_ids
    return bool(row.stage == CustomerStage.POOL or queued)


@verb(JobKind.CLAIM, Permission.CUSTOMER_CLAIM)
async def claim(act: Act, task: Task, items: Sequence[Item]) -> list[Result]:
    """From the pool, or the viewer's department queue, to the viewer. Of two who claim at once one wins. Raises
    Forbidden for keys, which claim nobody."""
    agent_id = act.viewer.agent_id
    if agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    crew = await stages.crew(act, [agent_id])
    # Whoever was in sight when the job began may have gone to somebody else: that is told, too.
    chunk = await each.load(act, task, items, {"block"}, sight=Sight(everything=True))
    _hide(act, task, chunk)
    each.judged(act, chunk, foreign=True)
    claiming = await _Claiming.of(act, task, crew)
    each.step(chunk, claiming.claim)
    each_new = [fresh(tables.Claim, workspace_id=act.workspace_id, agent_id=agent_id, at=act.now) for _ in chunk.open()]
    await act.work.insert(*each_new)
    task.state["claimed"] = task.state.get("claimed", 0) + len(each_new)
    return await each.write(act, chunk)


def _hide(act: Act, task: Task, chunk: each.Chunk) -> None:
    """Who was named by id and was never in sight is not there."""
    if "ids" not in (task.job.target or {}) or act.viewer.may(Permission.CUSTOMER_VIEW_ALL):
        return
    seen = {bytes.fromhex(one) for one in task.state.get("claimable", ())}
    for item, state in chunk.open():
        row = state.row
        own = permissions.owns(act.viewer, row)
        if state.id not in seen and not own and not claimable(act.viewer, row):
            chunk.refuse(
                item, Refused(ErrorCode.NOT_FOUND, f"There is no customer “{task.named(item)}” here.", task.path(item))
            )


class _Claiming:
    """The claims of one chunk: how many the agent has today, and for whom he has to wait."""

    def __init__(self, act: Act, task: Task, crew: Crew, settings: Any, today: int) -> None:
        self.act = act
        self.task = task
        self.crew = crew
        self.limit = settings.pool_daily_claim_limit
        self.cooldown = settings.pool_reclaim_cooldown_days * DAY
        self.today = today
        self.seen = {bytes.fromhex(one) for one in task.state.get("claimable", ())}

    @classmethod
    async def of(cls, act: Act, task: Task, crew: Crew) -> "_Claiming":
        settings = await act.settings()
        assert act.viewer.agent_id is not None
        today = await claims.since(act.work, act.viewer.agent_id, midnight(settings, act.now))
        return cls(act, task, crew, settings, today + (task.state.get("claimed", 0) if task.dry_run else 0))

    def claim(self, state: State, item: Item) -> bool:
        row, path, agent_id = state.row, self.task.path(item), self.act.viewer.agent_id
        assert agent_id is not None
        if row.owner_id == agent_id:
            return False
        if state.blocked(self.act.now):
            message = f"“{row.name}” is blocked and cannot be claimed; unblock the customer first."
            raise Refused(ErrorCode.CUSTOMER_BLOCKED, message, path)
        if not claimable(self.act.viewer, row):
            raise self._gone(state, path)
        self._cool(row, path)
        if self.limit is not None and self.today >= self.limit:
            message = f"You may claim {self.limit} customers a day; this would be one too many. Go on tomorrow."
            raise LimitRefused(message, path, limit=self.limit, current=self.today + 1, code=ErrorCode.CLAIM_LIMIT)
        stages.assign(self.act, state, agent_id, self.crew, path)
        self.today += 1
        return True

    def _gone(self, state: State, path: Path) -> Refused:
        row = state.row
        lost = state.id in self.seen or (row.owned_since or 0) >= self.task.job.created_at
        if row.owner_id is not None and lost:
            return Refused(ErrorCode.ALREADY_CLAIMED, f"Somebody else was faster with “{row.name}”.", path)
        stage = CustomerStage(row.stage)
        if stage is CustomerStage.TO_BE_ASSIGNED and row.department_id is not None:
            message = f"“{row.name}” waits in a department that you do not work in."
            return Refused(ErrorCode.AGENT_NOT_IN_DEPARTMENT, message, path)
        return TransitionRefused(stage, CustomerStage.FOLLOW_UP, [], path)

    def _cool(self, row: Any, path: Path) -> None:
        if waits(row, self.act.viewer.agent_id, self.cooldown, self.act.now):
            days = self.cooldown // DAY
            message = f"You looked after “{row.name}” before; you may claim again {days} days after the release."
            raise Refused(ErrorCode.CLAIM_COOLDOWN, message, path)
