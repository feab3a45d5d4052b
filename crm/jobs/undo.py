"""Undoing a job: customers that nobody changed since the job get their earlier values back from the change log."""

from collections.abc import Sequence
from typing import Any, Final

from crm.change_log import ChangeEntry
from crm.customers import loaded_customer, persistence, records, restore, uniqueness
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ConflictError, ErrorCode, InputError
from crm.jobs import cancel_retry, handlers, progress, submit, target_snapshot
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.jobs.targets import MAX_INLINE_TARGET_ROWS
from crm.merging import unmerge
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries import activities, jobs
from db.queries.catalogue import segments
from db.queries.customers import customers
from db.queries.matching import targets
from db.rows import Row, new_row
from db.tables.enums import ChangeAction, JobKind, JobStatus, Outcome, Permission
from db.values import wire_format
from db.values.time_units import MS_PER_DAY

UNDO_WINDOW_MS: Final = 30 * MS_PER_DAY
"""Milliseconds after its end during which a job can be undone."""

_NOT_UNDOABLE_KINDS: Final = frozenset({JobKind.DELETE, JobKind.EXPORT, JobKind.UNDO})


def undoable_until(job: Any) -> int | None:
    """The time until which the job can be undone; None if it can never be undone."""
    if (
        job.dry_run
        or job.finished_at is None
        or JobKind(job.kind) in _NOT_UNDOABLE_KINDS
        or job.status == JobStatus.FAILED
    ):
        return None
    if JobKind(job.arguments["verb"]) in _NOT_UNDOABLE_KINDS or not handlers.handler_of(job).is_undoable:
        return None
    return int(job.finished_at) + UNDO_WINDOW_MS


async def undo_job(unit: UnitOfWork, wire_id: str, given_options: Any) -> Row:
    """Starts a job that undoes an earlier job. It requires the same permissions. Raises InputError NOT_FOUND,
    NOT_UNDOABLE; Forbidden."""
    earlier = await cancel_retry.load_job(unit, wire_id)
    options = submit.read_options(given_options)
    deadline = undoable_until(earlier)
    undo_jobs = await jobs.undo_jobs_of(unit.transaction, [earlier.id])
    if deadline is None or deadline < unit.now or (undo_jobs and not options.dry_run):
        reason = (
            "has already been undone"
            if undo_jobs
            else "cannot be undone"
            if deadline is None
            else "ended too long ago to be undone"
        )
        raise InputError(ErrorCode.NOT_UNDOABLE, f"This job {reason}.", ("id",))
    submit.check_may_start(unit, handlers.handler_of(earlier).kind)
    entities = ["Interaction", "Customer"] if handlers.handler_of(earlier).entity == "Interaction" else ["Customer"]
    row_count = sum(count for name, count in earlier.counts.items() if Outcome[name] in progress.LOGGED_OUTCOMES)
    submit.check_all_or_nothing_size(unit, options, row_count)
    is_large = row_count > MAX_INLINE_TARGET_ROWS
    job = await submit.insert_job(
        unit, JobKind.UNDO, {"of": earlier.id.hex(), "verb": handlers.handler_of(earlier).kind}, None, options,
        state={"gathering": [target_snapshot.changed_by_job(earlier.id, entities)]} if is_large else {},
        undo_of=earlier.id, matched=row_count,
    )  # fmt: skip
    if is_large:
        return submit.queue_job(unit, job)
    return await cancel_retry.start_stored_job(
        unit, job, await targets.store_changed_rows(unit.transaction, job.id, earlier.id, entities)
    )


@job_handler(JobKind.UNDO, Permission.CUSTOMER_VIEW, is_undoable=False)
async def undo_rows(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Deletes the customers that the job created and restores the fields of those that it changed."""
    kind = JobKind(task.arguments["verb"])
    entries = await jobs.changes_by_node(
        unit.transaction, bytes.fromhex(task.arguments["of"]), [item.id for item in items]
    )
    if kind is JobKind.SEGMENT_MEMBERS:
        return await _undo_segment_members(unit, items, entries)
    if kind is JobKind.MERGE:
        return await _undo_merge(unit, items, entries)
    results: dict[int, RowResult] = {}
    customers_ = [item for item in items if entries[item.id][0].entity == "Customer"]
    others = [item for item in items if entries[item.id][0].entity == "Interaction"]
    results |= await _undo_interactions(unit, others)
    results |= await _undo_customers(unit, customers_, entries)
    return [results[item.row] for item in items]


async def _undo_customers(unit: UnitOfWork, items: Sequence[JobItem], entries_by_node: Any) -> dict[int, RowResult]:
    customers_by_id = await loaded_customer.load_customers(unit, [item.id for item in items], ())
    created = [
        item.id
        for item in items
        if item.id in customers_by_id and entries_by_node[item.id][0].action == ChangeAction.CREATED
    ]
    with_activities = set(await customers.with_activities(unit.transaction, created)) if created else set()
    results: dict[int, RowResult] = {}
    to_delete: list[tuple[JobItem, LoadedCustomer]] = []
    to_restore: list[tuple[JobItem, LoadedCustomer]] = []
    for item in items:
        state, entries = customers_by_id.get(item.id), entries_by_node[item.id]
        if state is None:
            message = "This customer no longer exists or is not visible to you."
            results[item.row] = RowResult(
                item.row, item.id, Outcome.SKIPPED, [InputError(ErrorCode.CONFLICT, message, ("id",))]
            )
            continue
        is_created = entries[0].action == ChangeAction.CREATED
        is_merged = state.id != item.id
        if is_merged or state.row.version != entries[-1].version or (is_created and state.id in with_activities):
            results[item.row] = RowResult(item.row, item.id, Outcome.SKIPPED, [ConflictError(state.row, ("id",))])
        elif is_created:
            to_delete.append((item, state))
        else:
            to_restore.append((item, state))
    changed_fields = (
        field["field"] for item, _ in to_restore for line in entries_by_node[item.id] for field in line.fields
    )
    await records.load_parts_to_change(
        unit, [state for _, state in to_restore], restore.parts_of_fields(changed_fields)
    )
    await restore.restore_fields(
        unit, [(state, [line.fields for line in reversed(entries_by_node[item.id])]) for item, state in to_restore]
    )
    await records.delete_each(unit, [state for _, state in to_delete], [item.row for item, _ in to_delete])
    await uniqueness.claim_released_values(unit, [state for _, state in to_restore])
    outcomes = await persistence.write_customers(
        unit, [state for _, state in to_restore], [item.row for item, _ in to_restore]
    )
    for (item, state), outcome in zip(to_restore, outcomes, strict=True):
        outcome_after_errors = Outcome.SKIPPED if state.errors else outcome
        results[item.row] = RowResult(item.row, state.id, outcome_after_errors, list(state.errors))
    for item, state in to_delete:
        results[item.row] = RowResult(item.row, state.id, Outcome.DELETED)
    return results


async def _undo_segment_members(unit: UnitOfWork, items: Sequence[JobItem], entries: Any) -> list[RowResult]:
    """Removes added members and adds removed members, unless somebody has done so already."""
    # A customer that was added and removed in the same job needs no change.
    field_changes = {item.id: item_entry[0] for item in items if (item_entry := entries[item.id][-1].fields)}
    field_change = next(iter(field_changes.values()), {"before": None, "after": None})
    segment_id = wire_format.decode_id("Segment", field_change["before"] or field_change["after"] or "") or b""
    segment_exists = segment_id in await segments.by_ids(unit.transaction, [segment_id])
    visible_customers = await customers.lock_by_ids(
        unit.transaction, [item.id for item in items], unit.viewer.visibility
    )
    members = await segments.member_ids_among(unit.transaction, segment_id, [item.id for item in items])
    ids_to_move: dict[bool, list[bytes]] = {True: [], False: []}
    results = []
    for item in items:
        if item.id not in field_changes:
            results.append(RowResult(item.row, item.id, Outcome.UNCHANGED))
            continue
        field, row = field_changes[item.id], visible_customers.get(item.id)
        into = field["after"] is None
        if row is None or row.id != item.id or not segment_exists or (item.id in members) is into:
            message = "Somebody has changed the members of this segment since the job."
            results.append(
                RowResult(item.row, item.id, Outcome.SKIPPED, [InputError(ErrorCode.CONFLICT, message, ("id",))])
            )
            continue
        ids_to_move[into].append(item.id)
        reverted = [{"field": "segments", "before": field["after"], "after": field["before"]}]
        unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Customer", item.id, row.version, reverted, row=item.row))
        results.append(RowResult(item.row, item.id, Outcome.UPDATED))
    own = {"workspace_id": unit.workspace_id, "segment_id": segment_id}
    await unit.transaction.insert(
        *(new_row(tables.SegmentMember, **own, customer_id=customer_id) for customer_id in ids_to_move[True])
    )
    keys = [{"segment_id": segment_id, "customer_id": customer_id} for customer_id in ids_to_move[False]]
    await batch_writes.delete_rows(unit.transaction, tables.SegmentMember, keys)
    return results


async def _undo_merge(unit: UnitOfWork, items: Sequence[JobItem], entries: Any) -> list[RowResult]:
    """Restores all customers of a merge or none. If the survivor was deleted, nothing is restored."""
    if not items:
        return []
    survivor = next(item for item in items if entries[item.id][0].action == ChangeAction.UPDATED)
    entry = entries[survivor.id][-1]
    error = await unmerge.restore_merged(unit, entry.audience, entry.version, {item.id: item.row for item in items})
    if error is not None:
        return [RowResult(item.row, item.id, Outcome.SKIPPED, [error]) for item in items]
    return [RowResult(item.row, item.id, Outcome.UPDATED if item is survivor else Outcome.CREATED) for item in items]


async def _undo_interactions(unit: UnitOfWork, items: Sequence[JobItem]) -> dict[int, RowResult]:
    """Deletes the interactions that the job recorded."""
    if not items:
        return {}
    visible_rows = await activities.visible_by_ids(
        unit.transaction, [item.id for item in items], tables.Interaction, unit.viewer.visibility
    )
    results = {}
    for item in items:
        row = visible_rows.get(item.id)
        if row is None:
            message = "This interaction no longer exists."
            results[item.row] = RowResult(
                item.row, item.id, Outcome.SKIPPED, [InputError(ErrorCode.CONFLICT, message, ("id",))]
            )
            continue
        entry = ChangeEntry(
            ChangeAction.DELETED, "Interaction", item.id, 1, [], row=item.row, customer_id=row.customer_id
        )
        unit.log.add(entry)
        results[item.row] = RowResult(item.row, item.id, Outcome.DELETED)
    await batch_writes.delete_where_in(unit.transaction, tables.Interaction, "id", list(visible_rows))
    customer_ids = list({row.customer_id for row in visible_rows.values()})
    latest_times = await activities.latest_interaction_times(unit.transaction, customer_ids)
    updates: list[Any] = [
        (customer_id, {"last_interaction_at": latest_times.get(customer_id)}) for customer_id in customer_ids
    ]
    await batch_writes.update_rows(unit.transaction, tables.Customer, updates)
    return results
