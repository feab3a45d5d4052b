"""Submitting a job: small jobs run within the request, larger ones are queued for a worker."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crm.errors import ErrorCode, Forbidden, InputError, LimitError
from crm.jobs import progress, targets
from crm.jobs.handlers import HANDLERS, JobItem
from crm.jobs.progress import RowFailed
from crm.jobs.targets import MAX_INLINE_CUSTOMERS, Target
from crm.jobs.wakeups import wake_workers
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.rows import Row, new_row
from db.tables.enums import JobKind

ON_ERROR_ABORT: Final = 1

MAX_ROWS_ALL_OR_NOTHING: Final = {"sqlite": 5_000}
"""Maximum number of rows of an all-or-nothing job by database. Such a job is one transaction, which blocks all other
writers on SQLite."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The options of a job."""

    dry_run: bool = False
    abort: bool = False
    label: str | None = None


def read_options(data: Mapping[str, Any] | None) -> JobOptions:
    """Reads the options. Raises InputError TOO_LONG for the label."""
    data = data or {}
    label = text_values.read_text(data.get("label"), ("options", "label"), max_length=text_values.MAX_NAME_LENGTH)
    return JobOptions(bool(data.get("dry_run")), int(data.get("on_error") or 0) == ON_ERROR_ABORT, label)


async def submit_for_target(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: targets.TargetData,
    given_options: Mapping[str, Any] | None,
    *,
    state: Mapping[str, Any] | None = None,
) -> Row:
    """Submits the job for the customers of a target. Raises Forbidden, and the errors of `targets.resolve_target`."""
    check_may_start(unit, kind)
    options = read_options(given_options)
    resolved_target = await targets.resolve_target(targets.reader_of(unit), target)
    return await submit_job(unit, kind, arguments, resolved_target, options, state=state)


def check_may_start(unit: UnitOfWork, kind: JobKind) -> None:
    """Raises Forbidden if the viewer lacks the permission for jobs of this kind."""
    if not HANDLERS[kind].is_allowed_for(unit.viewer):
        raise Forbidden(HANDLERS[kind].permissions[0])


async def submit_job(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: Target,
    options: JobOptions,
    *,
    state: Mapping[str, Any] | None = None,
    as_kind: JobKind | None = None,
    **columns: Any,
) -> Row:
    """Runs a small job at once and queues a larger one for a worker. With `as_kind` the job is recorded under that kind
    but does what `kind` does. Raises LimitError if an all-or-nothing job has too many rows."""
    check_all_or_nothing_size(unit, options, target.count)
    job = await insert_job(
        unit, kind, arguments, target.stored_form, options,
        state={**(state or {}), **({"gathering": [target.source]} if target.is_large else {})},
        as_kind=as_kind, matched=target.count, **columns,
    )  # fmt: skip
    if target.is_large:
        return queue_job(unit, job)
    if target.listing is not None:
        before = deepcopy(vars(job))
        job.matched = await target.store(unit, job.id)
        await progress.store_job(unit, job, before)
    elif len(target.items) > MAX_INLINE_CUSTOMERS:
        await store_target(unit, job, target.items)
    if job.matched > MAX_INLINE_CUSTOMERS:
        return queue_job(unit, job)
    return await run_inline(unit, job, target.items)


def check_all_or_nothing_size(unit: UnitOfWork, options: JobOptions, count: int) -> None:
    """Raises LimitError if an all-or-nothing job has too many rows."""
    max_rows = MAX_ROWS_ALL_OR_NOTHING.get(unit.transaction.dialect.name, count)
    if options.abort and not options.dry_run and count > max_rows:
        message = (
            f"At most {max_rows} customers can be changed all or nothing, but you selected {count}; try `dryRun` "
            "first, then run with `onError: CONTINUE`."
        )
        raise LimitError(message, ("options", "onError"), limit=max_rows, current=count)


async def store_target(unit: UnitOfWork, job: Row, items: Sequence[JobItem]) -> None:
    """Stores the rows as the job's target."""
    workspace_id = unit.workspace_id
    rows = (
        new_row(tables.JobTarget, workspace_id=workspace_id, job_id=job.id, row=item.row, node_id=item.id or b"")
        for item in items
    )
    await unit.transaction.insert(*rows)


async def insert_job(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: Any,
    options: JobOptions,
    *,
    state: Mapping[str, Any] | None = None,
    as_kind: JobKind | None = None,
    **columns: Any,
) -> Row:
    """Inserts a new job without starting it."""
    job = new_row(
        tables.Job,
        workspace_id=unit.workspace_id,
        kind=int(kind if as_kind is None else as_kind),
        arguments=as_stored_json({"verb": int(kind), "given": arguments}),
        target=as_stored_json(target),
        label=options.label,
        dry_run=options.dry_run,
        on_error=int(options.abort),
        actor_kind=int(unit.viewer.actor_kind),
        actor_id=unit.viewer.actor_id or None,
        request_id=unit.author.request_id,
        state=as_stored_json(dict(state or {})),
        **{"counts": {}, **columns},
    )
    await unit.transaction.insert(job)
    return job


def as_stored_json(value: Any) -> Any:
    """The value as the database returns it, so that inline and queued jobs see the same data."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def queue_job(unit: UnitOfWork, job: Row) -> Row:
    """Wakes a worker of this process after the commit."""
    database = unit.transaction.database
    unit.after_commit.append(lambda: wake_workers(database))
    return job


async def run_inline(unit: UnitOfWork, job: Row, items: Sequence[JobItem]) -> Row:
    """Runs the whole job in this transaction."""
    before = deepcopy(vars(job))
    job.started_at = unit.now
    task = progress.task_of(job)
    try:
        if job.on_error and not job.dry_run:
            async with unit.transaction.savepoint():
                await progress.run_chunk(unit, task, items)
        else:
            await progress.run_chunk(unit, task, items)
        await progress.finish_task(unit, task)
        progress.set_final_status(job, unit.now)
    except RowFailed as failed:
        await progress.abort_task(unit, task, failed.result, items)
    await progress.store_job(unit, job, before)
    return job


def check_row_count(rows: Sequence[Any], max_rows: int, path: tuple[str, ...]) -> None:
    """Raises InputError EMPTY_TARGET if there are no rows and LimitError if there are too many."""
    if not rows:
        raise InputError(ErrorCode.EMPTY_TARGET, "There are no rows; give at least one.", path)
    if len(rows) > max_rows:
        message = f"You can send at most {max_rows} rows at once, but you sent {len(rows)}."
        raise LimitError(message, path, limit=max_rows, current=len(rows))


async def submit_two_targets(
    unit: UnitOfWork, kind: JobKind, arguments: Mapping[str, Any], parts: tuple[Target, Target], options: JobOptions
) -> Row:
    """Submits the job for two targets, one after the other. `adding` stores the number of rows of the first target."""
    check_all_or_nothing_size(unit, options, sum(part.count for part in parts))
    target = {"add": parts[0].stored_form, "remove": parts[1].stored_form}
    if any(part.is_large for part in parts):
        state = {"gathering": [part.source for part in parts]}
        count = sum(part.count for part in parts)
        return queue_job(unit, await insert_job(unit, kind, arguments, target, options, state=state, matched=count))
    job = await insert_job(unit, kind, arguments, target, options)
    before = deepcopy(vars(job))
    for part in parts:
        if part.listing is not None:
            job.matched += await part.store(unit, job.id, job.matched)
        else:
            await store_target(unit, job, [JobItem(job.matched + item.row, item.id) for item in part.items])
            job.matched += len(part.items)
        if part is parts[0]:
            job.arguments = {**job.arguments, "given": {**job.arguments["given"], "adding": job.matched}}
    await progress.store_job(unit, job, before)
    return queue_job(unit, job)
