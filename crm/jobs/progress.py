"""Working on a job: a chunk of its rows, what became of them, and how far it is, all in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from crm.jobs import error_codec, handlers
from crm.jobs.handlers import JobItem, JobTask, RowResult
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries import jobs
from db.rows import Row, copy_row, new_row
from db.tables.enums import JobStatus, Outcome

LOGGED_OUTCOMES: Final = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED, Outcome.MERGED})
"""Outcomes that the log of changes tells."""


class RowFailed(Exception):
    """A row failed where all were to succeed or none."""

    def __init__(self, result: RowResult) -> None:
        super().__init__()
        self.result = result


class _Undone(Exception):
    """What a dry run did is taken back."""


def task_of(job: Any) -> JobTask:
    """The job, ready to be worked on."""
    row = job if isinstance(job, Row) else copy_row(job, tables.Job)
    row.counts, row.state = dict(row.counts or {}), dict(row.state or {})
    return JobTask(row, row.arguments["given"], row.state)


async def run_chunk(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> None:
    """Works on these rows and notes in the job what became of them; the caller keeps the job. Raises Failed where the
    job is to abort."""
    unit.author = replace(unit.author, job_id=task.job.id)
    results = await _results(unit, task, items)
    if task.job.on_error:
        for result in results:
            if result.outcome is Outcome.FAILED:
                raise RowFailed(result)
    await _keep_apart(unit, task, results)
    job = task.job
    counts = Counter(job.counts)
    counts.update(result.outcome.name for result in results)
    job.counts, job.processed = dict(counts), job.processed + len(items)
    if items:
        job.state["after"] = items[-1].row


async def _results(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """A dry run does it all and takes it back, keeping what would have been logged."""
    verb = handlers.handler_of(task.job)
    if not task.dry_run:
        results = await verb.handle_chunk(unit, task, items)
        _compare(unit, results)
        return results
    results = []
    try:
        async with unit.transaction.savepoint():
            results = await verb.handle_chunk(unit, task, items)
            told = {entry.node_id: entry for entry in unit.log.entries()}
            for result in results:
                entry = told.get(result.node_id or b"")
                if result.fields is None and entry is not None and entry.row == result.row:
                    result.fields = entry.fields
                if result.outcome is Outcome.CREATED:
                    # It is not there after all.
                    result.node_id = None
            raise _Undone
    except _Undone:
        unit.reset()
    return results


def _compare(unit: UnitOfWork, results: Sequence[RowResult]) -> None:
    """A record that several rows changed has one entry in the log, under the number of the first; the others' rows are
    kept apart."""
    told = {entry.node_id: entry.row for entry in unit.log.entries()}
    for result in results:
        if (
            result.outcome in LOGGED_OUTCOMES
            and told.get(result.node_id or b"") != result.row
            and result.fields is None
        ):
            result.fields = ()


async def _keep_apart(unit: UnitOfWork, task: JobTask, results: Sequence[RowResult]) -> None:
    """The rows that the log does not tell."""
    silent = handlers.handler_of(task.job).counts_successes_only
    apart = [
        one
        for one in results
        if task.dry_run or one.fields is not None or one.outcome not in LOGGED_OUTCOMES
        if not silent or one.outcome is Outcome.FAILED
    ]
    await unit.transaction.insert(*(_row(unit, task, one) for one in apart))


def _row(unit: UnitOfWork, task: JobTask, result: RowResult) -> Row:
    return new_row(
        tables.JobRow,
        workspace_id=unit.workspace_id,
        job_id=task.job.id,
        row=result.row,
        node_id=result.node_id or None,
        outcome=int(result.outcome),
        fields=None if result.fields is None else list(result.fields),
        errors=error_codec.encode_errors(result.errors, result.row),
    )


async def finish_task(unit: UnitOfWork, task: JobTask) -> None:
    """Makes the job's files within the request that began it."""
    verb = handlers.handler_of(task.job)
    if verb.finish_job is not None:
        await unit.transaction.insert(*await verb.finish_job(unit.transaction, task))


def set_final_status(job: Row, now: int) -> None:
    """All rows are done."""
    failed = job.counts.get(Outcome.FAILED.name, 0)
    job.status = int(JobStatus.DONE_WITH_ERRORS if failed else JobStatus.DONE)
    job.finished_at = now


async def abort_task(unit: UnitOfWork, task: JobTask, failed: RowResult, items: Sequence[JobItem] | None) -> None:
    """Nothing was done, for one row failed: it is told so, and the others as skipped. `items` are all of the target
    where it is not stored."""
    unit.reset()
    job = task.job
    row = _row(unit, task, failed)
    if task.dry_run:
        # What was told of earlier chunks would not have been done either.
        await batch_writes.delete_where_in(unit.transaction, tables.JobRow, "job_id", [job.id])
    if items is None:
        # Rows that are not a stored target, those of a file, are counted only.
        skipped = (
            await jobs.skip_remaining_rows(unit.transaction, job.id, failed.row)
            if handlers.has_stored_target(job)
            else job.matched - 1
        )
    else:
        others = [RowResult(one.row, one.id or None, Outcome.SKIPPED) for one in items if one.row != failed.row]
        await unit.transaction.insert(*(_row(unit, task, one) for one in others))
        skipped = len(others)
    await unit.transaction.insert(row)
    job.status, job.finished_at = int(JobStatus.FAILED), unit.now
    job.counts = {Outcome.FAILED.name: 1} | ({Outcome.SKIPPED.name: skipped} if skipped else {})
    job.processed = job.matched
    job.error = f"Row {failed.row} failed, so nothing was done: {failed.errors[0].message}"


async def store_job(unit: UnitOfWork, job: Row, before: dict[str, Any]) -> None:
    """Writes what is different in the job, in the request that began it."""
    changed = {name: value for name, value in vars(job).items() if before[name] != value}
    await batch_writes.update_rows(unit.transaction, tables.Job, [(job.id, changed)])
