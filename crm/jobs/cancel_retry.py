"""Cancelling and retrying existing jobs."""

from copy import deepcopy
from typing import Any

from crm.errors import ErrorCode, InputError
from crm.jobs import handlers, progress, submit, target_snapshot
from crm.jobs.handlers import JobItem
from crm.jobs.submit import JobOptions
from crm.jobs.targets import MAX_INLINE_CUSTOMERS, MAX_INLINE_TARGET_ROWS
from crm.unit_of_work import UnitOfWork
from db import tables
from db.queries import jobs
from db.queries.matching import targets
from db.rows import Row, copy_row
from db.tables.enums import JobKind, JobStatus, Outcome, Permission
from db.values import wire_format


async def load_job(unit: UnitOfWork, wire_id: str) -> Row:
    """Locks and returns the job. Its creator and holders of SETTINGS_MANAGE may load it. Raises InputError
    NOT_FOUND."""
    identifier, viewer = wire_format.decode_id("Job", wire_id), unit.viewer
    job = await jobs.lock_by_ids(unit.transaction, identifier) if identifier else None
    is_creator = job is not None and (job.actor_kind, job.actor_id) == (int(viewer.actor_kind), viewer.actor_id)
    if job is None or not (is_creator or viewer.has_permission(Permission.SETTINGS_MANAGE)):
        raise InputError(ErrorCode.NOT_FOUND, f"There is no job “{wire_id}” in this workspace.", ("id",))
    return copy_row(job, tables.Job)


def is_cancellable(job: Any) -> bool:
    """Whether the job is queued or running, and nobody has cancelled it yet."""
    return job.status in (JobStatus.QUEUED, JobStatus.RUNNING)


async def cancel_job(unit: UnitOfWork, wire_id: str) -> Row:
    """Stops the job at the end of its current chunk. Finished chunks keep their effect. A job that has ended is
    returned unchanged."""
    job = await load_job(unit, wire_id)
    if not is_cancellable(job):
        return job
    before = deepcopy(vars(job))
    idle = job.leased_until is None or job.leased_until < unit.now
    job.status = int(JobStatus.CANCELLED if idle else JobStatus.CANCELLING)
    if idle:
        job.finished_at = unit.now
    await progress.store_job(unit, job, before)
    return job


async def retry_job(unit: UnitOfWork, wire_id: str) -> Row:
    """Creates a job for the failed rows of an earlier job; the rows keep their numbers. Raises InputError NOT_FOUND,
    INVALID."""
    earlier = await load_job(unit, wire_id)
    if earlier.finished_at is None or earlier.dry_run:
        subject = "A dry run" if earlier.dry_run else "A job that is still running"
        raise InputError(ErrorCode.INVALID, f"{subject} cannot be retried.", ("id",))
    handler = handlers.handler_of(earlier)
    submit.check_may_start(unit, handler.kind)
    if handler.kind is JobKind.EXPORT:
        raise InputError(ErrorCode.INVALID, "An export cannot be retried; start a new export.", ("id",))
    failed_count = earlier.counts.get(Outcome.FAILED.name, 0)
    state = {name: earlier.state[name] for name in ("turn",) if name in (earlier.state or {})}
    if failed_count > MAX_INLINE_TARGET_ROWS:
        state["gathering"] = [target_snapshot.failed_in_job(earlier.id)]
    job = await submit.insert_job(
        unit, handler.kind, earlier.arguments["given"], earlier.target,
        JobOptions(abort=bool(earlier.on_error), label=earlier.label),
        state=state, as_kind=JobKind.RETRY, retry_of=earlier.id, matched=failed_count,
    )  # fmt: skip
    if failed_count > MAX_INLINE_TARGET_ROWS:
        return submit.queue_job(unit, job)
    return await start_stored_job(unit, job, await targets.store_failed_rows(unit.transaction, job.id, earlier.id))


async def start_stored_job(unit: UnitOfWork, job: Row, matched: int) -> Row:
    """Starts a job whose target is stored."""
    before = deepcopy(vars(job))
    job.matched = matched
    await progress.store_job(unit, job, before)
    if matched > MAX_INLINE_CUSTOMERS:
        return submit.queue_job(unit, job)
    items = [
        JobItem(row.row, row.node_id)
        for row in await targets.next_rows(unit.transaction, job.id, -1, MAX_INLINE_CUSTOMERS)
    ]
    return await submit.run_inline(unit, job, items)
