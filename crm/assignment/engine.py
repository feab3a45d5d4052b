"""Assignment rules at work (SB3): whoever comes to TO_BE_ASSIGNED is assigned by the first rule that means him."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.assignment import stages
from crm.assignment.round_robin import Assignee, RoundRobin
from crm.assignment.stages import AgentCapacity
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import InputError
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.filtering.errors import QueryError
from db.queries.assignment import rules
from db.queries.catalogue import departments
from db.queries.matching import matches
from db.queries.matching.matches import CustomerQuery
from db.tables.enums import AssignmentStrategy, CustomerStage, DepartmentAssignment
from db.visibility import Visibility


@dataclass(slots=True)
class _Rule:
    row: Any
    turns: RoundRobin

    def next(self, state: LoadedCustomer) -> Assignee | None:
        """Whose turn it is: never the previous owner's; None where all are full."""
        if self.row.strategy == AssignmentStrategy.LEAST_LOADED:
            return self._least_loaded(state)
        for _ in self.turns.assignees:
            seat = self.turns.next_assignee()
            if seat is None or not _is_previous(seat, state):
                return seat
        return None

    def _least_loaded(self, state: LoadedCustomer) -> Assignee | None:
        crew = self.turns.capacity
        free = [
            seat
            for seat in self.turns.assignees
            if not _is_previous(seat, state) and (seat.agent is None or not crew.is_full(seat.agent))
        ]
        return min(free, key=lambda seat: crew.owned.get(seat.agent.id, 0) if seat.agent else 0, default=None)


def _is_previous(seat: Assignee, state: LoadedCustomer) -> bool:
    return seat.agent is not None and seat.agent.id == state.row.previous_owner_id


async def assign_by_rules(unit: UnitOfWork, written: Sequence[LoadedCustomer]) -> None:
    """Assigns those of them who wait, by the rules; who meets none, or only full agents, waits on. They were written in
    this act, and count as changed once."""
    waiting = {one.id: one for one in written if _waits(one)}
    if not waiting:
        return
    settings: Any = await unit.settings()
    if not settings.ruled:
        return
    known = [one for one in await rules.all_rules(unit.transaction) if one.active]
    if not known:
        return
    await loaded_customer.load_parts(unit, waiting.values(), {"block"} - next(iter(waiting.values())).parts)
    waiting = {key: state for key, state in waiting.items() if not state.is_blocked(unit.now)}
    assigned: list[LoadedCustomer] = []
    for row in known:
        meant = [waiting[one] for one in await _meant(unit, row, list(waiting))]
        for state in meant:
            del waiting[state.id]
        if meant:
            assigned += await _assign(unit, row, meant)
    await persistence.write_customers(unit, assigned)


def _waits(state: LoadedCustomer) -> bool:
    row = state.row
    return bool(row.stage == CustomerStage.TO_BE_ASSIGNED and not state.is_archived and not state.errors)


async def _meant(unit: UnitOfWork, row: Any, ids: Sequence[bytes]) -> list[bytes]:
    """Those whom the rule's filter finds; nobody where it cannot be read any more."""
    if not ids:
        return []
    question = CustomerQuery(filter=row.filter or None)
    try:
        match, _ = await matches.compile_query(
            unit.transaction, question, visibility=Visibility(sees_all=True), agent_id=None, now=unit.now
        )
    except QueryError:
        return []
    found = await matches.matching_ids(unit.transaction, match, ids)
    return [one for one in ids if one in found]


async def _assign(unit: UnitOfWork, row: Any, meant: Sequence[LoadedCustomer]) -> list[LoadedCustomer]:
    held = await rules.lock_by_ids(unit.transaction, row.id)
    rule = _Rule(held, await _turns(unit, held))
    done = []
    for state in meant:
        seat = rule.next(state)
        if seat is None:
            continue
        change_fields.store_original_values(state)
        if _take(unit, state, seat, rule.turns.capacity):
            # It goes on being the change that brought the customer here.
            state.is_new = False
            state.row.version -= 1
            done.append(state)
    if rule.turns.turn != held.turn:
        await batch_writes.update_rows(unit.transaction, tables.AssignmentRule, [(held.id, {"turn": rule.turns.turn})])
    return done


def _take(unit: UnitOfWork, state: LoadedCustomer, seat: Assignee, crew: AgentCapacity) -> bool:
    if seat.agent is None:
        if state.row.department_id == seat.department.id:
            return False
        state.row.department_id = seat.department.id
        return True
    try:
        return stages.assign(unit, state, seat.agent.id, crew, ())
    except InputError:
        return False


async def _turns(unit: UnitOfWork, row: Any) -> RoundRobin:
    """The active agents that the rule names, then the members of its departments, or their queues."""
    people = (await rules.agents(unit.transaction, [row.id])).get(row.id, [])
    places = (await rules.departments(unit.transaction, [row.id])).get(row.id, [])
    queued = (await unit.settings()).department_assignment == DepartmentAssignment.QUEUE
    working: Mapping[bytes, Sequence[Any]] = {}
    if places and not queued:
        working = await departments.active_members(unit.transaction, [one.id for one in places])
    members = [one.id for place in places for one in working.get(place.id, ())]
    crew = await stages.lock_agents(unit, [*(one.id for one in people), *members])
    agents = [crew.agents[one] for one in dict.fromkeys([*(one.id for one in people), *members])]
    seats = [Assignee(agent=one) for one in agents if one.active]
    return RoundRobin(seats + ([Assignee(department=one) for one in places] if queued else []), crew, start=row.turn)
