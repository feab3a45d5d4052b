"""Merging customers into a survivor, who keeps the best values of all. The ids of the others resolve to the survivor
(SM19)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from crm.catalogue import fields
from crm.change_log import ChangeEntry
from crm.customers import change_fields, loaded_customer, persistence, tag_changes
from crm.customers.inputs import MAX_CONTACTS_PER_CUSTOMER as MOST_LISTED
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.customers.preconditions import check_preconditions
from crm.errors import ErrorCode, InputError, LimitError, Path, raise_errors
from crm.jobs import submit
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.merging import duplicates, field_winners, unmerge
from crm.merging.field_winners import FieldMerge
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries.catalogue import companies, tags
from db.queries.customers import customers, merging
from db.queries.customers import duplicates as pairs
from db.rows import Row, copy_row, new_row
from db.tables.enums import ChangeAction, EntityType, JobKind, JobStatus, Outcome, Permission
from db.values import wire_format

MAX_MERGED_CUSTOMERS: Final = 10
"""Maximum number of customers in one merge, including the survivor."""

_PARTS: Final = SEARCHED_PARTS | {"friends", "block", "merged"}
_PROTECTED_FIELDS: Final = frozenset({"id", "stage", "verification", "archivedAt", "createdAt", "updatedAt"})
_EXTERNAL_ID_PREFIX: Final = "externalId."
_CUSTOM_FIELD_PREFIX: Final = "custom."


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """The customer whose value of a field the survivor gets, as the caller gave it."""

    field: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The survivor after the merge, or unchanged for a dry run; the changed fields; and the job by which the merge can
    be undone."""

    customer: Any
    changed: Sequence[Mapping[str, Any]]
    job: Any = None


async def merge_customers(
    unit: UnitOfWork, into: str, from_: Sequence[str], take: Sequence[FieldChoice] = (), *, dry_run: bool = False
) -> MergeResult:
    """Merges up to MAX_MERGED_CUSTOMERS customers into one. A dry run writes nothing.

    Raises InputError EMPTY_TARGET, NOT_FOUND, INVALID, FORBIDDEN, CUSTOMER_ARCHIVED, FIELD_UNKNOWN, FIELD_PROTECTED,
    RESELLER_RELATIONSHIP_REQUIRED, LimitError."""
    survivor, others, by_wire = await _load_customers(unit, into, from_)
    fields = await unit.custom_fields(EntityType.CUSTOMER)
    winners = _chosen_customers(take, by_wire, fields, [survivor, *others])
    rows = [copy_row(state.row, tables.Customer) for state in (survivor, *others)]
    FieldMerge(survivor, others, winners, fields, unit.now).apply()
    survivor.merged = sorted(
        {*survivor.merged, *(merged_id for other in others for merged_id in (other.id, *other.merged))}
    )
    _check_survivor(survivor)
    changed = persistence.preview_changes(survivor, fields)
    if dry_run:
        return MergeResult(rows[0], changed)
    stored_merge = await unmerge.store_merge(unit, survivor.id, [other.id for other in others], rows)
    job = await _insert_job(unit, into, from_, len(others))
    await _lock_references(unit, survivor)
    await _move_related_rows(unit, survivor, others)
    for row_number, other in enumerate(others, 1):
        unit.log.add(ChangeEntry(ChangeAction.MERGED, "Customer", other.id, other.row.version + 1, [], row=row_number))
    await persistence.write_customers(unit, [survivor], [0])
    unit.log.add(
        ChangeEntry(ChangeAction.UPDATED, "Customer", survivor.id, survivor.row.version, [], audience=stored_merge)
    )
    return MergeResult(survivor.row, changed, job)


async def _insert_job(unit: UnitOfWork, into: str, from_: Sequence[str], other_count: int) -> Row:
    """Inserts a finished job for the merge, so that it can be undone."""
    arguments = {"into": into, "from": list(from_)}
    options = submit.JobOptions()
    counts = {Outcome.UPDATED.name: 1, Outcome.MERGED.name: other_count}
    job = await submit.insert_job(
        unit, JobKind.MERGE, arguments, None, options, matched=other_count + 1, processed=other_count + 1,
        started_at=unit.now, finished_at=unit.now, status=int(JobStatus.DONE), counts=counts,
    )  # fmt: skip
    unit.author = replace(unit.author, job_id=job.id)
    return job


@job_handler(JobKind.MERGE, Permission.CUSTOMER_MERGE)
async def undo_merges(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """The request itself executes a merge, so a worker has nothing to do or retry."""
    return []


# ── the customers ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _load_customers(
    unit: UnitOfWork, into: str, from_: Sequence[str]
) -> tuple[LoadedCustomer, list[LoadedCustomer], Mapping[str, LoadedCustomer]]:
    """The locked and checked survivor, the others in the given order, and all of them by their wire ids."""
    if not from_:
        raise InputError(ErrorCode.EMPTY_TARGET, "Choose the customers to merge into this one.", ("from",))
    references: list[tuple[str, Path]] = [
        (into, ("into",)),
        *((wire_id, ("from", index)) for index, wire_id in enumerate(from_)),
    ]
    if (current := len(dict.fromkeys(wire_id for wire_id, _ in references))) > MAX_MERGED_CUSTOMERS:
        message = f"You can merge at most {MAX_MERGED_CUSTOMERS} customers at once, but you selected {current}."
        raise LimitError(message, ("from",), limit=MAX_MERGED_CUSTOMERS, current=current)
    parsed_references = [(wire_format.decode_id("Customer", wire_id), wire_id, path) for wire_id, path in references]
    ids = list(dict.fromkeys(identifier for identifier, _, _ in parsed_references if identifier is not None))
    rows = await customers.lock_by_ids(unit.transaction, ids, unit.viewer.visibility) if ids else {}
    raise_errors(
        [
            InputError(ErrorCode.NOT_FOUND, f"There is no customer “{wire_id}” in this workspace.", path)
            for identifier, wire_id, path in parsed_references
            if identifier is None or identifier not in rows
        ]
    )
    customers_by_id = await loaded_customer.from_rows(unit, rows, _PARTS)
    by_wire = {
        wire_id: customers_by_id[identifier] for identifier, wire_id, _ in parsed_references if identifier is not None
    }
    survivor = by_wire[into]
    raise_errors(_precondition_errors(unit, [(by_wire[wire_id], path) for wire_id, path in references]))
    raise_errors(
        [
            InputError(ErrorCode.INVALID, f"“{survivor.row.name}” cannot be merged into itself.", path)
            for wire_id, path in references[1:]
            if by_wire[wire_id] is survivor
        ]
    )
    change_fields.store_original_values(survivor)
    return survivor, list({state.id: state for state in (by_wire[wire_id] for wire_id in from_)}.values()), by_wire


def _precondition_errors(
    unit: UnitOfWork, customers_and_paths: Sequence[tuple[LoadedCustomer, Path]]
) -> list[InputError]:
    errors = []
    for state, path in customers_and_paths:
        try:
            check_preconditions(unit, state, path)
        except InputError as error:
            errors.append(error)
    return errors


# ── the fields ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chosen_customers(
    take: Sequence[FieldChoice],
    by_wire: Mapping[str, LoadedCustomer],
    fields: Sequence[Any],
    all_customers: Sequence[LoadedCustomer],
) -> dict[str, LoadedCustomer]:
    """For each chosen field the customer whose value the survivor gets."""
    custom_keys = {f"{_CUSTOM_FIELD_PREFIX}{choice.key}" for choice in fields if choice.active}
    by_id = {state.id: state for state in all_customers} | {
        old: state for state in all_customers for old in state.merged
    }
    winners: dict[str, LoadedCustomer] = {}
    errors: list[InputError] = []
    for index, choice in enumerate(take):
        winner = by_wire.get(choice.customer_id) or by_id.get(
            wire_format.decode_id("Customer", choice.customer_id) or b""
        )
        error = _choice_error(choice.field, custom_keys, winners, ("take", index, "field"))
        if winner is None:
            message = f"“{choice.customer_id}” is not one of the merged customers."
            error = InputError(ErrorCode.NOT_FOUND, message, ("take", index, "from"))
        elif error is None and choice.field == "subscriptionStatus":
            error = _subscription_error(winner, all_customers, ("take", index, "field"))
        if error is not None:
            errors.append(error)
        elif winner is not None:
            winners[choice.field] = winner
    raise_errors(errors)
    return winners


_FIELD_KEYS: Final = frozenset(field.key for field in fields.CUSTOMER_FIELDS)


def _choice_error(
    name: str, custom_keys: set[str], winners: Mapping[str, LoadedCustomer], path: Path
) -> InputError | None:
    if (
        name not in _FIELD_KEYS
        and name not in custom_keys
        and not (name.startswith(_EXTERNAL_ID_PREFIX) and name != _EXTERNAL_ID_PREFIX)
    ):
        return InputError(
            ErrorCode.FIELD_UNKNOWN, f"Customers have no field “{name}”; choose one of the listed fields.", path
        )
    if name in _PROTECTED_FIELDS:
        return InputError(
            ErrorCode.FIELD_PROTECTED, f"The survivor always keeps its own “{name}”; remove this choice.", path
        )
    if name in winners:
        return InputError(
            ErrorCode.INVALID, f"A customer is already chosen for “{name}”; remove one of the choices.", path
        )
    return None


def _subscription_error(
    winner: LoadedCustomer, all_customers: Sequence[LoadedCustomer], path: Path
) -> InputError | None:
    if winner.row.subscription_status == field_winners.strictest(all_customers):
        return None
    message = (
        "The merged customer gets the strictest subscription status, because a merge cannot subscribe "
        "people who have unsubscribed."
    )
    return InputError(ErrorCode.FIELD_PROTECTED, message, path)


def _check_survivor(survivor: LoadedCustomer) -> None:
    """Checks the rules that apply to every customer."""
    assert survivor.original is not None
    if survivor.tags.keys() != survivor.original.tags.keys() and not survivor.row.reseller_relationship:
        message = f"“{survivor.row.name}” has no reseller relationship, so it cannot get the tags of the others."
        raise InputError(ErrorCode.RESELLER_RELATIONSHIP_REQUIRED, message, ("into",))
    limits = (
        ("tags", len(survivor.tags), tag_changes.MAX_TAGS_PER_CUSTOMER),
        ("phones", len(survivor.phones), MOST_LISTED),
        ("e-mails", len(survivor.emails), MOST_LISTED),
        ("external ids", len(survivor.external_ids), MOST_LISTED),
    )
    raise_errors(
        [
            LimitError(
                f"A customer can have at most {limit} {noun}, but these have {current} together; remove some first.",
                ("from",),
                limit=limit,
                current=current,
            )
            for noun, current, limit in limits
            if current > limit
        ]
    )


# ── the statements ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _lock_references(unit: UnitOfWork, survivor: LoadedCustomer) -> None:
    """Locks the records to which the survivor will refer."""
    assert survivor.original is not None
    if gained_tags := survivor.tags.keys() - survivor.original.tags.keys():
        existing_tags = {tag.id for tag in await tags.ids_by_name(unit.transaction, list(gained_tags), [])}
        survivor.tags = {
            key: tag for key, tag in survivor.tags.items() if key not in gained_tags or key in existing_tags
        }
    if survivor.row.company_id not in (None, survivor.original.columns["company_id"]):
        await companies.id_by_name(unit.transaction, [survivor.row.company_id], [])


async def _move_related_rows(unit: UnitOfWork, survivor: LoadedCustomer, others: Sequence[LoadedCustomer]) -> None:
    """Moves the related rows of the merged customers to the survivor and deletes the merged customers.

    Tags and other data that depend on the survivor's own row are written with the survivor."""
    transaction, ids = unit.transaction, [other.id for other in others]
    for table in merging.MOVED_TABLES:
        await merging.move(transaction, table, ids, survivor.id)
    member_rows = await merging.owned_rows(transaction, tables.SegmentMember, [survivor.id, *ids])
    new_segments = {row.segment_id for row in member_rows} - {
        row.segment_id for row in member_rows if row.customer_id == survivor.id
    }
    await transaction.insert(
        *(
            _new_row(unit, tables.SegmentMember, segment_id=identifier, customer_id=survivor.id)
            for identifier in sorted(new_segments)
        )
    )
    await _transfer_dismissals(unit, survivor.id, ids)
    await batch_writes.delete_where_in(transaction, tables.Customer, "id", ids)
    await transaction.insert(
        *(_new_row(unit, tables.CustomerAlias, id=identifier, customer_id=survivor.id) for identifier in ids)
    )
    await loaded_customer.load_parts(unit, [survivor], {"notes"})


async def _transfer_dismissals(unit: UnitOfWork, survivor: bytes, ids: Sequence[bytes]) -> None:
    """Transfers the dismissed duplicate pairs of the merged customers to the survivor."""
    merged_group = {survivor, *ids}
    dismissed_ids = {
        customer_id
        for row in await pairs.dismissed_pairs(unit.transaction, ids)
        for customer_id in (row.first_id, row.second_id)
    } - merged_group
    await duplicates.store_dismissals(
        unit, [(min(customer_id, survivor), max(customer_id, survivor)) for customer_id in sorted(dismissed_ids)]
    )


def _new_row(unit: UnitOfWork, table: Any, **columns: Any) -> Any:
    return new_row(table, workspace_id=unit.workspace_id, **columns)
