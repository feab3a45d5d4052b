"""Working on a job: a chunk of its rows, what became of them, and how far it is, all in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from crm.jobs import error_codec, handlers
from crm.jobs.handlers import Item, Result, Task
from crm.unit_of_work import Act
from db import batch_writes, tables
from db.queries import jobs
from db.rows import Row, copied, fresh
from db.tables.enums import JobStatus, Outcome

TOLD: Final = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED, Outcome.MERGED})
"""Outcomes that the log of changes tells."""


class Failed(Exception):
    """A row failed where all were to succeed or none."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


class _Undone(Exception):
    """What a dry run did is taken back."""


def task(job: Any) -> Task:
    """The job, ready to be worked on."""
    row = job if isinstance(job, Row) else copied(job, tables.Job)
    row.counts, row.state = dict(row.counts or {}), dict(row.state or {})
    return Task(row, row.arguments["given"], row.state)


async def advance(act: Act, task: Task, items: Sequence[Item]) -> None:
    """Works on these rows and notes in the job what became of them; the caller keeps the job. Raises Failed where the
    job is to abort."""
    act.author = replace(act.author, job_id=task.job.id)
    results = await _results(act, task, items)
    if task.job.on_error:
        for result in results:
            if result.outcome is Outcome.FAILED:
                raise Failed(result)
    await _keep_apart(act, task, results)
    job = task.job
    counts = Counter(job.counts)
    counts.update(result.outcome.name for result in results)
    job.counts, job.processed = dict(counts), job.processed + len(items)
    if items:
        job.state["after"] = items[-1].row


async def _results(act: Act, task: Task, items: Sequence[Item]) -> list[Result]:
    """A dry run does it all and takes it back, keeping what would have been logged."""
    verb = handlers.of(task.job)
    if not task.dry_run:
        results = await verb.chunk(act, task, items)
        _compare(act, results)
        return results
    results = []
    try:
        async with act.work.part():
            results = await verb.chunk(act, task, items)
            told = {entry.node_id: entry for entry in act.log.entries()}
            for result in results:
                entry = told.get(result.node_id or b"")
                if result.fields is None and entry is not None and entry.row == result.row:
                    result.fields = entry.fields
                if result.outcome is Outcome.CREATED:
                    # It is not there after all.
                    result.node_id = None
            raise _Undone
    except _Undone:
        act.undo()
    return results


def _compare(act: Act, results: Sequence[Result]) -> None:
    """A record that several rows changed has one entry in the log, under the number of the first; the others' rows are
    kept apart."""
    told = {entry.node_id: entry.row for entry in act.log.entries()}
    for result in results:
        if result.outcome in TOLD and told.get(result.node_id or b"") != result.row and result.fields is None:
            result.fields = ()


async def _keep_apart(act: Act, task: Task, results: Sequence[Result]) -> None:
    """The rows that the log does not tell."""
    silent = handlers.of(task.job).silent
    apart = [
        one
        for one in results
        if task.dry_run or one.fields is not None or one.outcome not in TOLD
        if not silent or one.outcome is Outcome.FAILED
    ]
    await act.work.insert(*(_row(act, task, one) for one in apart))


def _row(act: Act, task: Task, result: Result) -> Row:
    return fresh(
        tables.JobRow,
        workspace_id=act.workspace_id,
        job_id=task.job.id,
        row=result.row,
        node_id=result.node_id or None,
        outcome=int(result.outcome),
        fields=None if result.fields is None else list(result.fields),
        errors=error_codec.shown(result.refused, result.row),
    )


async def finish(act: Act, task: Task) -> None:
    """Makes the job's files within the request that began it."""
    verb = handlers.of(task.job)
    if verb.finish is not None:
        await act.work.insert(*await verb.finish(act.work, task))


def ended(job: Row, now: int) -> None:
    """All rows are done."""
    failed = job.counts.get(Outcome.FAILED.name, 0)
    job.status = int(JobStatus.DONE_WITH_ERRORS if failed else JobStatus.DONE)
    job.finished_at = now


async def abort(act: Act, task: Task, failed: Result, items: Sequence[Item] | None) -> None:
    """Nothing was done, for one row failed: it is told so, and the others as skipped. `items` are all of the target
    where it is not stored."""
    act.undo()
    job = task.job
    row = _row(act, task, failed)
    if task.dry_run:
        # What was told of earlier chunks would not have been done either.
        await batch_writes.clear(act.work, tables.JobRow, "job_id", [job.id])
    if items is None:
        # Rows that are not a stored target, those of a file, are counted only.
        skipped = await jobs.skip_rest(act.work, job.id, failed.row) if handlers.stored(job) else job.matched - 1
    else:
        others = [Result(one.row, one.id or None, Outcome.SKIPPED) for one in items if one.row != failed.row]
        await act.work.insert(*(_row(act, task, one) for one in others))
        skipped = len(others)
    await act.work.insert(row)
    job.status, job.finished_at = int(JobStatus.FAILED), act.now
    job.counts = {Outcome.FAILED.name: 1} | ({Outcome.SKIPPED.name: skipped} if skipped else {})
    job.processed = job.matched
    job.error = f"Row {failed.row} failed, so nothing was done: {failed.refused[0].message}"


async def keep(act: Act, job: Row, before: dict[str, Any]) -> None:
    """Writes what is different in the job, in the request that began it."""
    changed = {name: value for name, value in vars(job).items() if before[name] != value}
    await batch_writes.change(act.work, tables.Job, [(job.id, changed)])
