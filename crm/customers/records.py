"""Creating, updating and deleting customers. All functions work on lists, so bulk work, imports and merges share
them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from crm import references
from crm.assignment import engine, stages
from crm.change_log import ChangeEntry
from crm.cooperative import yield_periodically
from crm.customers import change_fields, field_permissions, inputs, loaded_customer, persistence
from crm.customers.apply_changes import apply_changes
from crm.customers.inputs import CustomerChange, CustomerData
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.customers.preconditions import check_preconditions
from crm.errors import ErrorCode, InputError, Path, raise_errors
from crm.references import CustomerReference, References
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries import accounts, change_log
from db.queries.customers import customers, search_documents
from db.rows import Row, new_row
from db.tables.enums import ChangeAction, Outcome, Permission
from db.values.folding import fold

_ALL_PARTS: Final = SEARCHED_PARTS | {"friends", "block"}


@dataclass(frozen=True, slots=True)
class CustomerResult:
    """A customer after the change, and the outcome."""

    customer: Row
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """A change to the customer with that id. The input is at `path` in the arguments, the customer's reference at
    `reference_path`; `row` is the row number in a job."""

    id: bytes
    data: CustomerData
    path: Path = ("input",)
    reference_path: Path = ("by",)
    if_version: int | None = None
    row: int | None = None


# ── one customer ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def create(unit: UnitOfWork, data: CustomerData) -> CustomerResult:
    """Creates a customer. Raises InputError and its subclasses."""
    (state,), (outcome,) = await create_each(unit, [(data, ("input",))])
    return _single_result(state, outcome)


async def update(
    unit: UnitOfWork, reference: CustomerReference, data: CustomerData, *, if_version: int | None = None
) -> CustomerResult:
    """Updates a customer. Raises InputError and its subclasses."""
    identifier = await references.find_customer(unit, reference)
    if identifier is None:
        raise references.customer_not_found(reference)
    return await _update_one(unit, reference, UpdateRequest(identifier, data, if_version=if_version))


async def upsert(unit: UnitOfWork, by: CustomerReference, data: CustomerData) -> CustomerResult:
    """Updates the customer, or creates one that gets the reference as its value. Raises InputError and its
    subclasses."""
    if "email" in by:
        # Email addresses are not unique, so only this lock prevents two callers from creating the same customer.
        await accounts.lock_names(unit.transaction, [f"customer {unit.workspace_id} {fold(by['email'])}"])
    identifier = await references.find_customer(unit, by)
    if identifier is not None:
        if not unit.viewer.has_permission(Permission.CUSTOMER_UPDATE):
            raise InputError(
                ErrorCode.FORBIDDEN,
                "This customer already exists; changing it needs the permission CUSTOMER_UPDATE.",
                ("by",),
            )
        return await _update_one(unit, by, UpdateRequest(identifier, data_with_reference(by, data, is_new=False)))
    if "id" in by:
        raise references.customer_not_found(by)
    (state,), (outcome,) = await create_each(unit, [(data_with_reference(by, data, is_new=True), ("input",))])
    move_errors_to_reference(state, ("by",), ("input",), data)
    return _single_result(state, outcome)


async def delete(unit: UnitOfWork, reference: CustomerReference, *, if_version: int | None = None) -> CustomerResult:
    """Permanently deletes one customer, whatever its stage (EM23, SB20). Raises InputError and its subclasses."""
    identifier = await references.find_customer(unit, reference)
    customers_by_id = await loaded_customer.load_customers(unit, [identifier], ()) if identifier else {}
    if identifier not in customers_by_id:
        raise references.customer_not_found(reference)
    state = customers_by_id[identifier]
    check_preconditions(unit, state, ("by",), archived=True, if_version=if_version)
    await delete_each(unit, [state])
    return CustomerResult(state.row, Outcome.DELETED)


async def _update_one(unit: UnitOfWork, reference: CustomerReference, request: UpdateRequest) -> CustomerResult:
    states, (outcome,) = await update_each(unit, [request])
    if states[0] is None:
        raise references.customer_not_found(reference)
    return _single_result(states[0], outcome)


def _single_result(state: LoadedCustomer, outcome: Outcome) -> CustomerResult:
    raise_errors(state.errors)
    return CustomerResult(state.row, outcome)


def data_with_reference(reference: CustomerReference, data: CustomerData, *, is_new: bool) -> CustomerData:
    """The input of an upsert including the reference, so that the same call finds the customer again."""
    if "external_id" in reference and (is_new or "external_ids" in data):
        values = list(data.get("external_ids") or ())
        return {
            **data,
            "external_ids": values if reference["external_id"] in values else [*values, reference["external_id"]],
        }
    if "email" in reference and (is_new or "emails" in data or "email" in data):
        values = list(data.get("emails") or ())
        primary = data.get("email")
        if fold(reference["email"]) in map(fold, [*values, *([primary] if primary else [])]):
            return data
        return {**data, "emails": [*values, reference["email"]]} if is_new or "emails" in data else data
    return data


def move_errors_to_reference(state: LoadedCustomer, by: Path, path: Path, data: CustomerData) -> None:
    """Moves errors about the added reference to the path of the reference, `by`. The reference was appended to the
    lists at `path`."""
    for data_key, name, reference in (("external_ids", "externalIds", "externalId"), ("emails", "emails", "email")):
        head = tuple(map(str, (*path, name)))
        for error in state.errors:
            index, *rest = error.path[len(head) :] or ("",)
            if error.path[: len(head)] == head and index.isdigit() and int(index) >= len(data.get(data_key) or ()):
                error.path = (*map(str, by), reference, *rest)


# ── many customers ────────────────────────────────────────────────────────────────────────────────────────────────────


async def create_each(
    unit: UnitOfWork, inputs_and_paths: Sequence[tuple[CustomerData, Path]], row_numbers: Sequence[int] | None = None
) -> tuple[list[LoadedCustomer], list[Outcome]]:
    """Creates customers independently: the errors of one are in its `errors`, and the others are written."""
    changes, loaded_references = await inputs.read_inputs(unit, inputs_and_paths)
    states = [await _new_customer(unit, change) for change in changes]
    await apply_changes(unit, list(zip(states, changes, strict=True)), loaded_references)
    outcomes = await persistence.write_customers(unit, states, row_numbers)
    await engine.assign_by_rules(unit, states)
    return states, outcomes


async def update_each(
    unit: UnitOfWork,
    requests: Sequence[UpdateRequest],
    prepared: tuple[Sequence[CustomerChange], References] | None = None,
) -> tuple[list[LoadedCustomer | None], list[Outcome]]:
    """Updates customers independently. The result is None and FAILED for a customer that is not visible. `prepared`
    reuses inputs that were already read."""
    ids = [request.id for request in requests]
    states_by_id = await loaded_customer.load_customers(unit, ids, ())
    for request in requests:
        if request.id in states_by_id:
            _collect_precondition_error(unit, states_by_id[request.id], request)
    changes, loaded_references = prepared or await inputs.read_inputs(
        unit, [(request.data, request.path) for request in requests]
    )
    for request, change in zip(requests, changes, strict=True):
        _prefer_permission_errors(unit, states_by_id.get(request.id), change)
    pairs = [
        (states_by_id[request.id], change)
        for request, change in zip(requests, changes, strict=True)
        if request.id in states_by_id and not states_by_id[request.id].errors
    ]
    await _load_parts(unit, pairs)
    await apply_changes(unit, pairs, loaded_references)
    states = [states_by_id.get(request.id) for request in requests]
    visible_states = [state for state in states if state is not None]
    row_numbers = [request.row for request, state in zip(requests, states, strict=True) if state is not None]
    known_numbers = [number for number in row_numbers if number is not None]
    rows = known_numbers if len(known_numbers) == len(row_numbers) else None
    outcomes = iter(await persistence.write_customers(unit, visible_states, rows))
    return states, [Outcome.FAILED if state is None else next(outcomes) for state in states]


async def delete_each(
    unit: UnitOfWork, states: Sequence[LoadedCustomer], row_numbers: Sequence[int] | None = None
) -> None:
    """Deletes customers with all related rows. The log keeps one entry for each, without content."""
    ids = [state.id for state in states]
    if not ids:
        return
    merged_ids = [record.id for rows in (await customers.merged_ids(unit.transaction, ids)).values() for record in rows]
    await change_log.delete_history_of(unit.transaction, [*ids, *merged_ids])
    await batch_writes.delete_where_in(unit.transaction, tables.Customer, "id", ids)
    for index, state in enumerate(states):
        row = state.row
        audience = {
            "stage": row.stage,
            "owner": row.owner_id and row.owner_id.hex(),
            "department": row.department_id and row.department_id.hex(),
        }
        number = None if row_numbers is None else row_numbers[index]
        unit.log.add(
            ChangeEntry(ChangeAction.DELETED, "Customer", row.id, row.version + 1, [], row=number, audience=audience)
        )


def _collect_precondition_error(unit: UnitOfWork, state: LoadedCustomer, request: UpdateRequest) -> None:
    try:
        check_preconditions(unit, state, request.reference_path, if_version=request.if_version)
    except InputError as error:
        state.add_error(error)


def _prefer_permission_errors(unit: UnitOfWork, state: LoadedCustomer | None, change: CustomerChange) -> None:
    """Reports missing permissions before the error that the customer is archived."""
    if state is not None and state.errors and state.errors[0].code is ErrorCode.CUSTOMER_ARCHIVED:
        state.errors = field_permissions.permission_errors(unit, state, change) or state.errors


async def _load_parts(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> None:
    """Loads the parts that each change needs, together for all customers with the same needs."""
    states_by_parts: dict[frozenset[str], list[LoadedCustomer]] = {}
    for state, change in pairs:
        states_by_parts.setdefault(change.parts, []).append(state)
    for parts, same_parts in states_by_parts.items():
        await load_parts_to_change(unit, same_parts, parts)


async def load_parts_to_change(unit: UnitOfWork, states: Collection[LoadedCustomer], parts: frozenset[str]) -> None:
    """Loads the parts of customers that will change, and stores their current values. If a search document cannot be
    revised, all searched parts are loaded."""
    await loaded_customer.load_parts(unit, states, parts)
    unrevisable = {
        state.id
        for state in states
        if state.search_text is not None and not search_documents.is_complete(state.search_text)
    }
    await loaded_customer.load_parts(
        unit, [state for state in states if state.id in unrevisable], SEARCHED_PARTS - parts
    )
    async for state in yield_periodically(states):
        state.parts = parts | SEARCHED_PARTS if state.id in unrevisable else parts
        change_fields.store_original_values(state)


async def _new_customer(unit: UnitOfWork, change: CustomerChange) -> LoadedCustomer:
    """A new customer with the default values."""
    stage = (await unit.settings()).default_stage
    row = new_row(tables.Customer, workspace_id=unit.workspace_id, name="", name_key="", stage=stage)
    state = LoadedCustomer(row, _ALL_PARTS, is_new=True)
    if not change.has("name"):
        state.add_error(InputError(ErrorCode.BLANK, "Enter a name.", change.path_to("name")))
    viewer = unit.viewer
    if viewer.agent_id is not None and not viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        if viewer.department_ids:
            row.department_id = viewer.department_ids[0]
        elif change.data.get("owner") is None:
            await _assign_to_creator(unit, state, viewer.agent_id)
    return state


async def _assign_to_creator(unit: UnitOfWork, state: LoadedCustomer, agent_id: bytes) -> None:
    """A viewer who sees only their own customers becomes the owner of customers that they create."""
    capacity = await stages.lock_agents(unit, [agent_id])
    try:
        stages.assign(unit, state, agent_id, capacity, ("input",))
    except InputError as error:
        state.add_error(error)
