"""Undoing a job: whatever nobody touched since is put back as it was, from the log of changes."""

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

UNDO_WINDOW_MS: Final = 30 * 24 * 60 * 60 * 1000
"""Milliseconds for which a job can be undone after its end."""

_NEVER: Final = frozenset({JobKind.DELETE, JobKind.EXPORT, JobKind.UNDO})


def undoable_until(job: Any) -> int | None:
    """Up to when the job can be undone; None where it never can."""
    if job.dry_run or job.finished_at is None or JobKind(job.kind) in _NEVER or job.status == JobStatus.FAILED:
        return None
    if JobKind(job.arguments["verb"]) in _NEVER or not handlers.handler_of(job).is_undoable:
        return None
    return int(job.finished_at) + UNDO_WINDOW_MS


async def undo_job(unit: UnitOfWork, wire_id: str, given_options: Any) -> Row:
    """Needs what the job itself needed. Raises InputError NOT_FOUND, NOT_UNDOABLE; Forbidden."""
    earlier = await cancel_retry.load_job(unit, wire_id)
    wanted = submit.read_options(given_options)
    until = undoable_until(earlier)
    undone = await jobs.undo_jobs_of(unit.transaction, [earlier.id])
    if until is None or until < unit.now or (undone and not wanted.dry_run):
        why = "was undone already" if undone else "cannot be undone" if until is None else "ended too long ago"
        raise InputError(ErrorCode.NOT_UNDOABLE, f"This job {why}.", ("id",))
    submit.check_may_start(unit, handlers.handler_of(earlier).kind)
    entities = ["Interaction", "Customer"] if handlers.handler_of(earlier).entity == "Interaction" else ["Customer"]
    many = sum(count for name, count in earlier.counts.items() if Outcome[name] in progress.LOGGED_OUTCOMES)
    submit.check_all_or_nothing_size(unit, wanted, many)
    job = await submit.insert_job(
        unit, JobKind.UNDO, {"of": earlier.id.hex(), "verb": handlers.handler_of(earlier).kind}, None, wanted,
        state={"gathering": [target_snapshot.changed_by_job(earlier.id, entities)]} if many > MAX_INLINE_TARGET_ROWS else {},
        undo_of=earlier.id, matched=many,
    )  # fmt: skip
    if many > MAX_INLINE_TARGET_ROWS:
        return submit.queue_job(unit, job)
    return await cancel_retry.start_stored_job(
        unit, job, await targets.store_changed_rows(unit.transaction, job.id, earlier.id, entities)
    )


@job_handler(JobKind.UNDO, Permission.CUSTOMER_VIEW, is_undoable=False)
async def undo_rows(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Customers who were made are deleted, those who were changed get their fields back."""
    kind = JobKind(task.arguments["verb"])
    lines = await jobs.changes_by_node(unit.transaction, bytes.fromhex(task.arguments["of"]), [one.id for one in items])
    if kind is JobKind.SEGMENT_MEMBERS:
        return await _members(unit, items, lines)
    if kind is JobKind.MERGE:
        return await _merged(unit, items, lines)
    results: dict[int, RowResult] = {}
    customers_ = [one for one in items if lines[one.id][0].entity == "Customer"]
    others = [one for one in items if lines[one.id][0].entity == "Interaction"]
    results |= await _interactions(unit, others)
    results |= await _customers(unit, customers_, lines)
    return [results[one.row] for one in items]


async def _customers(unit: UnitOfWork, items: Sequence[JobItem], lines: Any) -> dict[int, RowResult]:
    found = await loaded_customer.load_customers(unit, [one.id for one in items], ())
    created = [one.id for one in items if one.id in found and lines[one.id][0].action == ChangeAction.CREATED]
    crowded = set(await customers.with_activities(unit.transaction, created)) if created else set()
    results: dict[int, RowResult] = {}
    gone: list[tuple[JobItem, LoadedCustomer]] = []
    back: list[tuple[JobItem, LoadedCustomer]] = []
    for one in items:
        state, told = found.get(one.id), lines[one.id]
        if state is None:
            message = "This customer is not there any more, or out of sight."
            results[one.row] = RowResult(
                one.row, one.id, Outcome.SKIPPED, [InputError(ErrorCode.CONFLICT, message, ("id",))]
            )
            continue
        made = told[0].action == ChangeAction.CREATED
        merged = state.id != one.id
        if merged or state.row.version != told[-1].version or (made and state.id in crowded):
            results[one.row] = RowResult(one.row, one.id, Outcome.SKIPPED, [ConflictError(state.row, ("id",))])
        elif made:
            gone.append((one, state))
        else:
            back.append((one, state))
    told = (field["field"] for one, _ in back for line in lines[one.id] for field in line.fields)
    await records.load_parts_to_change(unit, [state for _, state in back], restore.parts_of_fields(told))
    await restore.restore_fields(
        unit, [(state, [line.fields for line in reversed(lines[one.id])]) for one, state in back]
    )
    await records.delete_each(unit, [state for _, state in gone], [one.row for one, _ in gone])
    await uniqueness.claim_released_values(unit, [state for _, state in back])
    outcomes = await persistence.write_customers(unit, [state for _, state in back], [one.row for one, _ in back])
    for (one, state), outcome in zip(back, outcomes, strict=True):
        became = Outcome.SKIPPED if state.errors else outcome
        results[one.row] = RowResult(one.row, state.id, became, list(state.errors))
    for one, state in gone:
        results[one.row] = RowResult(one.row, state.id, Outcome.DELETED)
    return results


async def _members(unit: UnitOfWork, items: Sequence[JobItem], lines: Any) -> list[RowResult]:
    """Who came in goes out again, and the other way round, unless somebody did so already."""
    # Who came in and went out in one job has nothing to be put back.
    shown = {one.id: told[0] for one in items if (told := lines[one.id][-1].fields)}
    named = next(iter(shown.values()), {"before": None, "after": None})
    segment_id = wire_format.decode_id("Segment", named["before"] or named["after"] or "") or b""
    there = segment_id in await segments.by_ids(unit.transaction, [segment_id])
    seen = await customers.lock_by_ids(unit.transaction, [one.id for one in items], unit.viewer.visibility)
    members = await segments.member_ids_among(unit.transaction, segment_id, [one.id for one in items])
    moving: dict[bool, list[bytes]] = {True: [], False: []}
    results = []
    for one in items:
        if one.id not in shown:
            results.append(RowResult(one.row, one.id, Outcome.UNCHANGED))
            continue
        field, row = shown[one.id], seen.get(one.id)
        into = field["after"] is None
        if row is None or row.id != one.id or not there or (one.id in members) is into:
            message = "Somebody changed the members of the segment since."
            results.append(
                RowResult(one.row, one.id, Outcome.SKIPPED, [InputError(ErrorCode.CONFLICT, message, ("id",))])
            )
            continue
        moving[into].append(one.id)
        back = [{"field": "segments", "before": field["after"], "after": field["before"]}]
        unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Customer", one.id, row.version, back, row=one.row))
        results.append(RowResult(one.row, one.id, Outcome.UPDATED))
    own = {"workspace_id": unit.workspace_id, "segment_id": segment_id}
    await unit.transaction.insert(*(new_row(tables.SegmentMember, **own, customer_id=one) for one in moving[True]))
    gone = [{"segment_id": segment_id, "customer_id": one} for one in moving[False]]
    await batch_writes.delete_rows(unit.transaction, tables.SegmentMember, gone)
    return results


async def _merged(unit: UnitOfWork, items: Sequence[JobItem], lines: Any) -> list[RowResult]:
    """All of a merge come back together, or none; nobody where the one who stayed was deleted."""
    if not items:
        return []
    stayed = next(one for one in items if lines[one.id][0].action == ChangeAction.UPDATED)
    line = lines[stayed.id][-1]
    refused = await unmerge.restore_merged(unit, line.audience, line.version, {one.id: one.row for one in items})
    if refused is not None:
        return [RowResult(one.row, one.id, Outcome.SKIPPED, [refused]) for one in items]
    return [RowResult(one.row, one.id, Outcome.UPDATED if one is stayed else Outcome.CREATED) for one in items]


async def _interactions(unit: UnitOfWork, items: Sequence[JobItem]) -> dict[int, RowResult]:
    """They are deleted again."""
    if not items:
        return {}
    seen = await activities.visible_by_ids(
        unit.transaction, [one.id for one in items], tables.Interaction, unit.viewer.visibility
    )
    results = {}
    for one in items:
        row = seen.get(one.id)
        if row is None:
            message = "This interaction is not there any more."
            results[one.row] = RowResult(
                one.row, one.id, Outcome.SKIPPED, [InputError(ErrorCode.CONFLICT, message, ("id",))]
            )
            continue
        entry = ChangeEntry(
            ChangeAction.DELETED, "Interaction", one.id, 1, [], row=one.row, customer_id=row.customer_id
        )
        unit.log.add(entry)
        results[one.row] = RowResult(one.row, one.id, Outcome.DELETED)
    await batch_writes.delete_where_in(unit.transaction, tables.Interaction, "id", list(seen))
    touched = list({row.customer_id for row in seen.values()})
    latest = await activities.latest_interaction_times(unit.transaction, touched)
    changed: list[Any] = [(one, {"last_interaction_at": latest.get(one)}) for one in touched]
    await batch_writes.update_rows(unit.transaction, tables.Customer, changed)
    return results
