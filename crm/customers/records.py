"""Making, changing and deleting customers. One is a list of one: bulk work, imports and merges call the same."""

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
    """A customer as it is afterwards, and what was done."""

    customer: Row
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """A change to the customer of that id. It stands at `path` in the arguments, and the customer is named at `named`;
    `place` is its row in a job's target."""

    id: bytes
    data: CustomerData
    path: Path = ("input",)
    reference_path: Path = ("by",)
    if_version: int | None = None
    row: int | None = None


# ── one ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def create(unit: UnitOfWork, given: CustomerData) -> CustomerResult:
    """A new customer. Raises InputError and its like."""
    (state,), (outcome,) = await create_each(unit, [(given, ("input",))])
    return _only(state, outcome)


async def update(
    unit: UnitOfWork, by: CustomerReference, given: CustomerData, *, if_version: int | None = None
) -> CustomerResult:
    """Changes a customer. Raises InputError and its like."""
    identifier = await references.find_customer(unit, by)
    if identifier is None:
        raise references.customer_not_found(by)
    return await _updated(unit, by, UpdateRequest(identifier, given, if_version=if_version))


async def upsert(unit: UnitOfWork, by: CustomerReference, given: CustomerData) -> CustomerResult:
    """Changes the customer, or makes one that keeps the reference. Raises InputError and its like."""
    if "email" in by:
        # Addresses are not unique, so nothing else keeps two callers from making the same customer.
        await accounts.lock_names(unit.transaction, [f"customer {unit.workspace_id} {fold(by['email'])}"])
    identifier = await references.find_customer(unit, by)
    if identifier is not None:
        if not unit.viewer.has_permission(Permission.CUSTOMER_UPDATE):
            raise InputError(ErrorCode.FORBIDDEN, "The customer is there already, and you may not change it.", ("by",))
        return await _updated(unit, by, UpdateRequest(identifier, data_with_reference(by, given, made=False)))
    if "id" in by:
        raise references.customer_not_found(by)
    (state,), (outcome,) = await create_each(unit, [(data_with_reference(by, given, made=True), ("input",))])
    move_errors_to_reference(state, ("by",), ("input",), given)
    return _only(state, outcome)


async def delete(unit: UnitOfWork, by: CustomerReference, *, if_version: int | None = None) -> CustomerResult:
    """Deletes any one customer for ever (EM23, SB20). Raises InputError and its like."""
    identifier = await references.find_customer(unit, by)
    found = await loaded_customer.load_customers(unit, [identifier], ()) if identifier else {}
    if identifier not in found:
        raise references.customer_not_found(by)
    state = found[identifier]
    check_preconditions(unit, state, ("by",), archived=True, if_version=if_version)
    await delete_each(unit, [state])
    return CustomerResult(state.row, Outcome.DELETED)


async def _updated(unit: UnitOfWork, by: CustomerReference, wanted: UpdateRequest) -> CustomerResult:
    found, (outcome,) = await update_each(unit, [wanted])
    if found[0] is None:
        raise references.customer_not_found(by)
    return _only(found[0], outcome)


def _only(state: LoadedCustomer, outcome: Outcome) -> CustomerResult:
    raise_errors(state.errors)
    return CustomerResult(state.row, outcome)


def data_with_reference(by: CustomerReference, given: CustomerData, *, made: bool) -> CustomerData:
    """An upsert's input with the reference in it, so that the same call finds the customer again."""
    if "external_id" in by and (made or "external_ids" in given):
        held = list(given.get("external_ids") or ())
        return {**given, "external_ids": held if by["external_id"] in held else [*held, by["external_id"]]}
    if "email" in by and (made or "emails" in given or "email" in given):
        held = list(given.get("emails") or ())
        primary = given.get("email")
        if fold(by["email"]) in map(fold, [*held, *([primary] if primary else [])]):
            return given
        return {**given, "emails": [*held, by["email"]]} if made or "emails" in given else given
    return given


def move_errors_to_reference(state: LoadedCustomer, by: Path, path: Path, given: CustomerData) -> None:
    """What is wrong with the reference that a new customer was to keep is told where the reference stands, at `by`: it
    was put behind what was given at `path`."""
    for key, name, reference in (("external_ids", "externalIds", "externalId"), ("emails", "emails", "email")):
        head = tuple(map(str, (*path, name)))
        for refused in state.errors:
            place, *rest = refused.path[len(head) :] or ("",)
            if refused.path[: len(head)] == head and place.isdigit() and int(place) >= len(given.get(key) or ()):
                refused.path = (*map(str, by), reference, *rest)


# ── many ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def create_each(
    unit: UnitOfWork, given: Sequence[tuple[CustomerData, Path]], places: Sequence[int] | None = None
) -> tuple[list[LoadedCustomer], list[Outcome]]:
    """New customers, each for itself: what is wrong with one is in its `refused`, and the others are written."""
    changes_, known = await inputs.read_inputs(unit, given)
    made = [await _new(unit, change) for change in changes_]
    await apply_changes(unit, list(zip(made, changes_, strict=True)), known)
    outcomes = await persistence.write_customers(unit, made, places)
    await engine.assign_by_rules(unit, made)
    return made, outcomes


async def update_each(
    unit: UnitOfWork,
    wanted: Sequence[UpdateRequest],
    prepared: tuple[Sequence[CustomerChange], References] | None = None,
) -> tuple[list[LoadedCustomer | None], list[Outcome]]:
    """Changes customers, each for itself; None, and FAILED, for one who is not in sight. `prepared` saves reading
    inputs again that were read for the customers before."""
    ids = [one.id for one in wanted]
    found = await loaded_customer.load_customers(unit, ids, ())
    for one in wanted:
        if one.id in found:
            _judged(unit, found[one.id], one)
    changes_, known = prepared or await inputs.read_inputs(unit, [(one.data, one.path) for one in wanted])
    for one, change in zip(wanted, changes_, strict=True):
        _forbidden_first(unit, found.get(one.id), change)
    pairs = [
        (found[one.id], change)
        for one, change in zip(wanted, changes_, strict=True)
        if one.id in found and not found[one.id].errors
    ]
    await _load_parts(unit, pairs)
    await apply_changes(unit, pairs, known)
    each = [found.get(one.id) for one in wanted]
    present = [state for state in each if state is not None]
    places = [one.row for one, state in zip(wanted, each, strict=True) if state is not None]
    outcomes = iter(await persistence.write_customers(unit, present, None if None in places else places))  # type: ignore[arg-type] # no None
    return each, [Outcome.FAILED if state is None else next(outcomes) for state in each]


async def delete_each(unit: UnitOfWork, found: Sequence[LoadedCustomer], places: Sequence[int] | None = None) -> None:
    """Deletes customers with all that hangs on them. Of the log one line of each stays, without content."""
    ids = [state.id for state in found]
    if not ids:
        return
    merged = [one.id for rows in (await customers.merged_ids(unit.transaction, ids)).values() for one in rows]
    await change_log.delete_history_of(unit.transaction, [*ids, *merged])
    await batch_writes.delete_where_in(unit.transaction, tables.Customer, "id", ids)
    for place, state in enumerate(found):
        row = state.row
        audience = {
            "stage": row.stage,
            "owner": row.owner_id and row.owner_id.hex(),
            "department": row.department_id and row.department_id.hex(),
        }
        number = None if places is None else places[place]
        unit.log.add(
            ChangeEntry(ChangeAction.DELETED, "Customer", row.id, row.version + 1, [], row=number, audience=audience)
        )


def _judged(unit: UnitOfWork, state: LoadedCustomer, wanted: UpdateRequest) -> None:
    try:
        check_preconditions(unit, state, wanted.reference_path, if_version=wanted.if_version)
    except InputError as refused:
        state.add_error(refused)


def _forbidden_first(unit: UnitOfWork, state: LoadedCustomer | None, change: CustomerChange) -> None:
    """Of an archived customer, too, it is told first what the viewer may not change."""
    if state is not None and state.errors and state.errors[0].code is ErrorCode.CUSTOMER_ARCHIVED:
        state.errors = field_permissions.permission_errors(unit, state, change) or state.errors


async def _load_parts(unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, CustomerChange]]) -> None:
    """Each customer gets the parts that its change needs, loaded together for all who need the same."""
    alike: dict[frozenset[str], list[LoadedCustomer]] = {}
    for state, change in pairs:
        alike.setdefault(change.parts, []).append(state)
    for parts, some in alike.items():
        await load_parts_to_change(unit, some, parts)


async def load_parts_to_change(unit: UnitOfWork, some: Collection[LoadedCustomer], parts: frozenset[str]) -> None:
    """Loads the parts of customers who are about to change, and keeps what they are. Whose text to be found by is none
    that can be revised gets all that it is made of."""
    await loaded_customer.load_parts(unit, some, parts)
    broken = {
        state.id
        for state in some
        if state.search_text is not None and not search_documents.is_complete(state.search_text)
    }
    await loaded_customer.load_parts(unit, [state for state in some if state.id in broken], SEARCHED_PARTS - parts)
    async for state in yield_periodically(some):
        state.parts = parts | SEARCHED_PARTS if state.id in broken else parts
        change_fields.store_original_values(state)


async def _new(unit: UnitOfWork, change: CustomerChange) -> LoadedCustomer:
    """A customer with nothing but what everybody has from the start."""
    stage = (await unit.settings()).default_stage
    row = new_row(tables.Customer, workspace_id=unit.workspace_id, name="", name_key="", stage=stage)
    state = LoadedCustomer(row, _ALL_PARTS, is_new=True)
    if not change.has("name"):
        state.add_error(InputError(ErrorCode.BLANK, "Give it a name.", change.path_to("name")))
    viewer = unit.viewer
    if viewer.agent_id is not None and not viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        if viewer.department_ids:
            row.department_id = viewer.department_ids[0]
        elif change.data.get("owner") is None:
            await _keep_for(unit, state, viewer.agent_id)
    return state


async def _keep_for(unit: UnitOfWork, state: LoadedCustomer, agent_id: bytes) -> None:
    """Who sees only his own customers keeps the one that he makes."""
    crew = await stages.lock_agents(unit, [agent_id])
    try:
        stages.assign(unit, state, agent_id, crew, ("input",))
    except InputError as refused:
        state.add_error(refused)
