"""Applies the assignment rules (SB3): the first rule that matches assigns a customer who enters TO_BE_ASSIGNED."""

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
class _LoadedRule:
    row: Any
    round_robin: RoundRobin

    def next(self, state: LoadedCustomer) -> Assignee | None:
        """The next assignee, but never the previous owner; None if all are full."""
        if self.row.strategy == AssignmentStrategy.LEAST_LOADED:
            return self._least_loaded(state)
        for _ in self.round_robin.assignees:
            assignee = self.round_robin.next_assignee()
            if assignee is None or not _is_previous(assignee, state):
                return assignee
        return None

    def _least_loaded(self, state: LoadedCustomer) -> Assignee | None:
        capacity = self.round_robin.capacity
        candidates = [
            assignee
            for assignee in self.round_robin.assignees
            if not _is_previous(assignee, state) and (assignee.agent is None or not capacity.is_full(assignee.agent))
        ]
        return min(
            candidates,
            key=lambda assignee: capacity.owned.get(assignee.agent.id, 0) if assignee.agent else 0,
            default=None,
        )


def _is_previous(assignee: Assignee, state: LoadedCustomer) -> bool:
    return assignee.agent is not None and assignee.agent.id == state.row.previous_owner_id


async def assign_by_rules(unit: UnitOfWork, written: Sequence[LoadedCustomer]) -> None:
    """Assigns the waiting customers by the rules. Customers without a matching rule or free agent keep waiting.

    The customers were written in this unit of work, and their version grows only once."""
    waiting = {customer.id: customer for customer in written if _is_waiting(customer)}
    if not waiting:
        return
    settings: Any = await unit.settings()
    if not settings.ruled:
        return
    active_rules = [rule for rule in await rules.all_rules(unit.transaction) if rule.active]
    if not active_rules:
        return
    await loaded_customer.load_parts(unit, waiting.values(), {"block"} - next(iter(waiting.values())).parts)
    waiting = {key: state for key, state in waiting.items() if not state.is_blocked(unit.now)}
    assigned: list[LoadedCustomer] = []
    for row in active_rules:
        matching = [waiting[customer_id] for customer_id in await _matching_ids(unit, row, list(waiting))]
        for state in matching:
            del waiting[state.id]
        if matching:
            assigned += await _assign(unit, row, matching)
    await persistence.write_customers(unit, assigned)


def _is_waiting(state: LoadedCustomer) -> bool:
    row = state.row
    return bool(row.stage == CustomerStage.TO_BE_ASSIGNED and not state.is_archived and not state.errors)


async def _matching_ids(unit: UnitOfWork, row: Any, ids: Sequence[bytes]) -> list[bytes]:
    """The customers that the rule's filter matches; none if the filter is no longer valid."""
    if not ids:
        return []
    query = CustomerQuery(filter=row.filter or None)
    try:
        match, _ = await matches.compile_query(
            unit.transaction, query, visibility=Visibility(sees_all=True), agent_id=None, now=unit.now
        )
    except QueryError:
        return []
    matching_ids = await matches.matching_ids(unit.transaction, match, ids)
    return [customer_id for customer_id in ids if customer_id in matching_ids]


async def _assign(unit: UnitOfWork, row: Any, matching: Sequence[LoadedCustomer]) -> list[LoadedCustomer]:
    locked_rule = await rules.lock_by_ids(unit.transaction, row.id)
    rule = _LoadedRule(locked_rule, await _load_round_robin(unit, locked_rule))
    assigned = []
    for state in matching:
        assignee = rule.next(state)
        if assignee is None:
            continue
        change_fields.store_original_values(state)
        if _assign_to(unit, state, assignee, rule.round_robin.capacity):
            # The assignment belongs to the change that brought the customer here, so the version grows only once.
            state.is_new = False
            state.row.version -= 1
            assigned.append(state)
    if rule.round_robin.turn != locked_rule.turn:
        await batch_writes.update_rows(
            unit.transaction, tables.AssignmentRule, [(locked_rule.id, {"turn": rule.round_robin.turn})]
        )
    return assigned


def _assign_to(unit: UnitOfWork, state: LoadedCustomer, assignee: Assignee, capacity: AgentCapacity) -> bool:
    if assignee.agent is None:
        if state.row.department_id == assignee.department.id:
            return False
        state.row.department_id = assignee.department.id
        return True
    try:
        return stages.assign(unit, state, assignee.agent.id, capacity, ())
    except InputError:
        return False


async def _load_round_robin(unit: UnitOfWork, row: Any) -> RoundRobin:
    """The rule's active agents, then the members of its departments or, in QUEUE mode, the departments themselves."""
    agent_rows = (await rules.agents(unit.transaction, [row.id])).get(row.id, [])
    department_rows = (await rules.departments(unit.transaction, [row.id])).get(row.id, [])
    is_queued = (await unit.settings()).department_assignment == DepartmentAssignment.QUEUE
    members_by_department: Mapping[bytes, Sequence[Any]] = {}
    if department_rows and not is_queued:
        members_by_department = await departments.active_members(
            unit.transaction, [department.id for department in department_rows]
        )
    member_ids = [
        member.id for department in department_rows for member in members_by_department.get(department.id, ())
    ]
    capacity = await stages.lock_agents(unit, [*(agent.id for agent in agent_rows), *member_ids])
    rule_agents = [
        capacity.agents[agent_id] for agent_id in dict.fromkeys([*(agent.id for agent in agent_rows), *member_ids])
    ]
    assignees = [Assignee(agent=agent) for agent in rule_agents if agent.active]
    return RoundRobin(
        assignees + ([Assignee(department=department) for department in department_rows] if is_queued else []),
        capacity,
        start=row.turn,
    )
