"""Merging customers into one of them: who stays keeps the best of all, and the others' ids lead to him (SM19)."""

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
from db.tables.enums import ChangeAction, JobKind, JobStatus, Outcome, Permission
from db.values import wire_format

MAX_MERGED_CUSTOMERS: Final = 10
"""Customers of one merge, the survivor among them."""

_PARTS: Final = SEARCHED_PARTS | {"friends", "block", "merged"}
_PROTECTED: Final = frozenset({"id", "stage", "verification", "archivedAt", "createdAt", "updatedAt"})
_EXTERNAL_ID: Final = "externalId."
_CUSTOM: Final = "custom."


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """Whose value of a field stays, as it was given."""

    field: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The survivor as he is afterwards, or still is where it was only tried; what the log tells of him; and the job by
    which it can be undone, where it was done."""

    customer: Any
    changed: Sequence[Mapping[str, Any]]
    job: Any = None


async def merge_customers(
    unit: UnitOfWork, into: str, from_: Sequence[str], take: Sequence[FieldChoice] = (), *, dry_run: bool = False
) -> MergeResult:
    """Makes one customer of up to MOST. Raises InputError EMPTY_TARGET, NOT_FOUND, INVALID, FORBIDDEN, CUSTOMER_ARCHIVED,
    FIELD_UNKNOWN, FIELD_PROTECTED, RESELLER_RELATIONSHIP_REQUIRED, LimitError. `dry_run` writes nothing."""
    survivor, others, by_wire = await _those(unit, into, from_)
    fields = await loaded_customer.load_custom_fields(unit)
    winners = _winners(take, by_wire, fields, [survivor, *others])
    rows = [copy_row(state.row, tables.Customer) for state in (survivor, *others)]
    FieldMerge(survivor, others, winners, fields, unit.now).apply()
    survivor.merged = sorted({*survivor.merged, *(one for other in others for one in (other.id, *other.merged))})
    _allowed(survivor)
    changed = persistence.preview_changes(survivor, fields)
    if dry_run:
        return MergeResult(rows[0], changed)
    kept = await unmerge.store_merge(unit, survivor.id, [other.id for other in others], rows)
    job = await _job(unit, into, from_, len(others))
    await _held(unit, survivor)
    await _moved(unit, survivor, others)
    for place, other in enumerate(others, 1):
        unit.log.add(ChangeEntry(ChangeAction.MERGED, "Customer", other.id, other.row.version + 1, [], row=place))
    await persistence.write_customers(unit, [survivor], [0])
    unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Customer", survivor.id, survivor.row.version, [], audience=kept))
    return MergeResult(survivor.row, changed, job)


async def _job(unit: UnitOfWork, into: str, from_: Sequence[str], others: int) -> Row:
    """A merge is done at once; it is a job so that it can be undone."""
    arguments = {"into": into, "from": list(from_)}
    wanted = submit.JobOptions()
    counts = {Outcome.UPDATED.name: 1, Outcome.MERGED.name: others}
    job = await submit.insert_job(
        unit, JobKind.MERGE, arguments, None, wanted, matched=others + 1, processed=others + 1, started_at=unit.now,
        finished_at=unit.now, status=int(JobStatus.DONE), counts=counts,
    )  # fmt: skip
    unit.author = replace(unit.author, job_id=job.id)
    return job


@job_handler(JobKind.MERGE, Permission.CUSTOMER_MERGE)
async def undo_merges(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """A merge is done by whoever asks for it, so there is nothing for a worker to do, nor to try again."""
    return []


# ── who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _those(
    unit: UnitOfWork, into: str, from_: Sequence[str]
) -> tuple[LoadedCustomer, list[LoadedCustomer], Mapping[str, LoadedCustomer]]:
    """The survivor, the others in the order given, and all by the ids that they were named by; held and judged."""
    if not from_:
        raise InputError(ErrorCode.EMPTY_TARGET, "Name the customers to merge into this one.", ("from",))
    named: list[tuple[str, Path]] = [(into, ("into",)), *((one, ("from", place)) for place, one in enumerate(from_))]
    if (current := len(dict.fromkeys(one for one, _ in named))) > MAX_MERGED_CUSTOMERS:
        message = f"At most {MAX_MERGED_CUSTOMERS} customers are merged at once; these are {current}."
        raise LimitError(message, ("from",), limit=MAX_MERGED_CUSTOMERS, current=current)
    parsed = [(wire_format.decode_id("Customer", one), one, path) for one, path in named]
    ids = list(dict.fromkeys(identifier for identifier, _, _ in parsed if identifier is not None))
    rows = await customers.lock_by_ids(unit.transaction, ids, unit.viewer.visibility) if ids else {}
    raise_errors(
        [
            InputError(ErrorCode.NOT_FOUND, f"There is no customer “{one}” here.", path)
            for identifier, one, path in parsed
            if identifier is None or identifier not in rows
        ]
    )
    found = await loaded_customer.from_rows(unit, rows, _PARTS)
    by_wire = {one: found[identifier] for identifier, one, _ in parsed if identifier is not None}
    survivor = by_wire[into]
    raise_errors(_judged(unit, [(by_wire[one], path) for one, path in named]))
    raise_errors(
        [
            InputError(ErrorCode.INVALID, f"“{survivor.row.name}” cannot be merged into itself.", path)
            for one, path in named[1:]
            if by_wire[one] is survivor
        ]
    )
    change_fields.store_original_values(survivor)
    return survivor, list({state.id: state for state in (by_wire[one] for one in from_)}.values()), by_wire


def _judged(unit: UnitOfWork, each: Sequence[tuple[LoadedCustomer, Path]]) -> list[InputError]:
    found = []
    for state, path in each:
        try:
            check_preconditions(unit, state, path)
        except InputError as refused:
            found.append(refused)
    return found


# ── what ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _winners(
    take: Sequence[FieldChoice],
    by_wire: Mapping[str, LoadedCustomer],
    fields: Sequence[Any],
    everybody: Sequence[LoadedCustomer],
) -> dict[str, LoadedCustomer]:
    """Who is named for which field."""
    custom = {f"{_CUSTOM}{one.key}" for one in fields if one.active}
    by_id = {state.id: state for state in everybody} | {old: state for state in everybody for old in state.merged}
    found: dict[str, LoadedCustomer] = {}
    refused: list[InputError] = []
    for place, one in enumerate(take):
        winner = by_wire.get(one.customer_id) or by_id.get(wire_format.decode_id("Customer", one.customer_id) or b"")
        why = _unnameable(one.field, custom, found, ("take", place, "field"))
        if winner is None:
            message = f"“{one.customer_id}” is none of the customers who are merged."
            why = InputError(ErrorCode.NOT_FOUND, message, ("take", place, "from"))
        elif why is None and one.field == "subscriptionStatus":
            why = _loosened(winner, everybody, ("take", place, "field"))
        if why is not None:
            refused.append(why)
        elif winner is not None:
            found[one.field] = winner
    raise_errors(refused)
    return found


_KNOWN: Final = frozenset(one.key for one in fields.CUSTOMER_FIELDS)


def _unnameable(name: str, custom: set[str], found: Mapping[str, LoadedCustomer], path: Path) -> InputError | None:
    if name not in _KNOWN and name not in custom and not (name.startswith(_EXTERNAL_ID) and name != _EXTERNAL_ID):
        return InputError(
            ErrorCode.FIELD_UNKNOWN, f"Customers have no field “{name}”; `fields` lists what they have.", path
        )
    if name in _PROTECTED:
        return InputError(
            ErrorCode.FIELD_PROTECTED, f"The survivor's “{name}” stays; nobody else's can be taken.", path
        )
    if name in found:
        return InputError(ErrorCode.INVALID, f"Somebody is named for “{name}” already.", path)
    return None


def _loosened(winner: LoadedCustomer, everybody: Sequence[LoadedCustomer], path: Path) -> InputError | None:
    if winner.row.subscription_status == field_winners.strictest(everybody):
        return None
    message = "The strictest subscription stays: who refused mailings once is not subscribed by a merge."
    return InputError(ErrorCode.FIELD_PROTECTED, message, path)


def _allowed(survivor: LoadedCustomer) -> None:
    """What holds for every customer holds for the survivor."""
    assert survivor.original is not None
    if survivor.tags.keys() != survivor.original.tags.keys() and not survivor.row.reseller_relationship:
        message = f"“{survivor.row.name}” has no reseller relationship, so the tags of the others cannot be put on."
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
                f"A customer has at most {limit} {what}; together these have {current}. Take some off first.",
                ("from",),
                limit=limit,
                current=current,
            )
            for what, current, limit in limits
            if current > limit
        ]
    )


# ── the statements ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _held(unit: UnitOfWork, survivor: LoadedCustomer) -> None:
    """What the survivor comes to refer to stays until the transaction ends."""
    assert survivor.original is not None
    if gained := survivor.tags.keys() - survivor.original.tags.keys():
        there = {tag.id for tag in await tags.ids_by_name(unit.transaction, list(gained), [])}
        survivor.tags = {key: tag for key, tag in survivor.tags.items() if key not in gained or key in there}
    if survivor.row.company_id not in (None, survivor.original.columns["company_id"]):
        await companies.id_by_name(unit.transaction, [survivor.row.company_id], [])


async def _moved(unit: UnitOfWork, survivor: LoadedCustomer, others: Sequence[LoadedCustomer]) -> None:
    """All that hangs on the others hangs on the survivor, and the others are no more. What only the survivor's own row
    tells, such as tags, is written with it."""
    transaction, ids = unit.transaction, [other.id for other in others]
    for table in merging.MOVED_TABLES:
        await merging.move(transaction, table, ids, survivor.id)
    members = await merging.owned_rows(transaction, tables.SegmentMember, [survivor.id, *ids])
    joined = {row.segment_id for row in members} - {row.segment_id for row in members if row.customer_id == survivor.id}
    await transaction.insert(
        *(_row(unit, tables.SegmentMember, segment_id=one, customer_id=survivor.id) for one in sorted(joined))
    )
    await _kept_apart(unit, survivor.id, ids)
    await batch_writes.delete_where_in(transaction, tables.Customer, "id", ids)
    await transaction.insert(*(_row(unit, tables.CustomerAlias, id=one, customer_id=survivor.id) for one in ids))
    await loaded_customer.load_parts(unit, [survivor], {"notes"})


async def _kept_apart(unit: UnitOfWork, survivor: bytes, ids: Sequence[bytes]) -> None:
    """Whoever is known to be another than one of them is another than the survivor."""
    gone = {survivor, *ids}
    apart = {
        one for row in await pairs.dismissed_pairs(unit.transaction, ids) for one in (row.first_id, row.second_id)
    } - gone
    await duplicates.store_dismissals(unit, [(min(one, survivor), max(one, survivor)) for one in sorted(apart)])


def _row(unit: UnitOfWork, table: Any, **columns: Any) -> Any:
    return new_row(table, workspace_id=unit.workspace_id, **columns)
