"""Executes a chunk of a job: its rows, their results and the job's progress, all in one transaction."""

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
"""Outcomes that the change log records."""


class RowFailed(Exception):
    """A row failed in a job whose rows must succeed together."""

    def __init__(self, result: RowResult) -> None:
        super().__init__()
        self.result = result


class _DryRunRollback(Exception):
    """Rolls back the changes of a dry run."""


def task_of(job: Any) -> JobTask:
    """Returns the job as a task that a worker can execute."""
    row = job if isinstance(job, Row) else copy_row(job, tables.Job)
    row.counts, row.state = dict(row.counts or {}), dict(row.state or {})
    return JobTask(row, row.arguments["given"], row.state)


async def run_chunk(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> None:
    """Executes these rows and adds their results to the job; the caller stores the job. Raises RowFailed if the job
    must abort."""
    unit.author = replace(unit.author, job_id=task.job.id)
    results = await _results(unit, task, items)
    if task.job.on_error:
        for result in results:
            if result.outcome is Outcome.FAILED:
                raise RowFailed(result)
    await _store_row_results(unit, task, results)
    job = task.job
    counts = Counter(job.counts)
    counts.update(result.outcome.name for result in results)
    job.counts, job.processed = dict(counts), job.processed + len(items)
    if items:
        job.state["after"] = items[-1].row


async def _results(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Returns the results of the rows. A dry run executes them, rolls them back and keeps the change log entries."""
    handler = handlers.handler_of(task.job)
    if not task.dry_run:
        results = await handler.handle_chunk(unit, task, items)
        _mark_unlogged_rows(unit, results)
        return results
    results = []
    try:
        async with unit.transaction.savepoint():
            results = await handler.handle_chunk(unit, task, items)
            entries = {entry.node_id: entry for entry in unit.log.entries()}
            for result in results:
                entry = entries.get(result.node_id or b"")
                if result.fields is None and entry is not None and entry.row == result.row:
                    result.fields = entry.fields
                if result.outcome is Outcome.CREATED:
                    # The rollback removes the new record.
                    result.node_id = None
            raise _DryRunRollback
    except _DryRunRollback:
        unit.reset()
    return results


def _mark_unlogged_rows(unit: UnitOfWork, results: Sequence[RowResult]) -> None:
    """If several rows changed one record, the change log has one entry with the number of the first row. The other rows
    get a stored result of their own."""
    logged_rows = {entry.node_id: entry.row for entry in unit.log.entries()}
    for result in results:
        if (
            result.outcome in LOGGED_OUTCOMES
            and logged_rows.get(result.node_id or b"") != result.row
            and result.fields is None
        ):
            result.fields = ()


async def _store_row_results(unit: UnitOfWork, task: JobTask, results: Sequence[RowResult]) -> None:
    """Stores the results of the rows that the change log does not contain."""
    only_failures = handlers.handler_of(task.job).counts_successes_only
    rows_to_store = [
        result
        for result in results
        if task.dry_run or result.fields is not None or result.outcome not in LOGGED_OUTCOMES
        if not only_failures or result.outcome is Outcome.FAILED
    ]
    await unit.transaction.insert(*(_job_row(unit, task, result) for result in rows_to_store))


def _job_row(unit: UnitOfWork, task: JobTask, result: RowResult) -> Row:
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
    """Creates the job's files within the request that submitted the job."""
    handler = handlers.handler_of(task.job)
    if handler.finish_job is not None:
        await unit.transaction.insert(*await handler.finish_job(unit.transaction, task))


def set_final_status(job: Row, now: int) -> None:
    """Marks a job whose rows are all processed as done."""
    failed = job.counts.get(Outcome.FAILED.name, 0)
    job.status = int(JobStatus.DONE_WITH_ERRORS if failed else JobStatus.DONE)
    job.finished_at = now


async def abort_task(
    unit: UnitOfWork, task: JobTask, failed_result: RowResult, items: Sequence[JobItem] | None
) -> None:
    """Marks the job as failed because one row failed: that row gets its errors, all others are skipped.

    `items` is the whole target if the target is not stored."""
    unit.reset()
    job = task.job
    failed_row = _job_row(unit, task, failed_result)
    if task.dry_run:
        # The rows of earlier chunks would have been rolled back as well.
        await batch_writes.delete_where_in(unit.transaction, tables.JobRow, "job_id", [job.id])
    if items is None:
        # Rows that come from a file instead of a stored target are only counted.
        skipped = (
            await jobs.skip_remaining_rows(unit.transaction, job.id, failed_result.row)
            if handlers.has_stored_target(job)
            else job.matched - 1
        )
    else:
        others = [
            RowResult(item.row, item.id or None, Outcome.SKIPPED) for item in items if item.row != failed_result.row
        ]
        await unit.transaction.insert(*(_job_row(unit, task, item) for item in others))
        skipped = len(others)
    await unit.transaction.insert(failed_row)
    job.status, job.finished_at = int(JobStatus.FAILED), unit.now
    job.counts = {Outcome.FAILED.name: 1} | ({Outcome.SKIPPED.name: skipped} if skipped else {})
    job.processed = job.matched
    job.error = f"Row {failed_result.row} failed, so nothing was changed: {failed_result.errors[0].message}"


async def store_job(unit: UnitOfWork, job: Row, before: dict[str, Any]) -> None:
    """Writes the changed columns of the job, within the request that submitted it."""
    changed = {name: value for name, value in vars(job).items() if before[name] != value}
    await batch_writes.update_rows(unit.transaction, tables.Job, [(job.id, changed)])
