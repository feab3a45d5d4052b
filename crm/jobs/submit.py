"""Beginning a job: few rows are done at once, more are left to a worker."""

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
"""Rows that are done all or none, for that is one transaction: on SQLite nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job is to be done."""

    dry_run: bool = False
    abort: bool = False
    label: str | None = None


def read_options(given: Mapping[str, Any] | None) -> JobOptions:
    """Raises InputError TOO_LONG for the label."""
    given = given or {}
    label = text_values.read_text(given.get("label"), ("options", "label"), longest=text_values.MAX_NAME_LENGTH)
    return JobOptions(bool(given.get("dry_run")), int(given.get("on_error") or 0) == ON_ERROR_ABORT, label)


async def submit_for_target(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: targets.TargetData,
    given_options: Mapping[str, Any] | None,
    *,
    state: Mapping[str, Any] | None = None,
) -> Row:
    """The job for the customers of a target. Raises Forbidden, and what targets.find raises."""
    check_may_start(unit, kind)
    wanted = read_options(given_options)
    found = await targets.resolve_target(unit, target)
    return await submit_job(unit, kind, arguments, found, wanted, state=state)


def check_may_start(unit: UnitOfWork, kind: JobKind) -> None:
    """Raises Forbidden where the viewer lacks the permission that jobs of this kind need."""
    if not HANDLERS[kind].is_allowed_for(unit.viewer):
        raise Forbidden(HANDLERS[kind].permissions[0])


async def submit_job(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    found: Target,
    wanted: JobOptions,
    *,
    state: Mapping[str, Any] | None = None,
    as_kind: JobKind | None = None,
    **columns: Any,
) -> Row:
    """The job, done where it is small, else waiting for a worker. A job `as_kind` does what `kind` does. Raises
    LimitError where they are too many to be done all or none."""
    check_all_or_nothing_size(unit, wanted, found.count)
    job = await insert_job(
        unit, kind, arguments, found.stored_form, wanted,
        state={**(state or {}), **({"gathering": [found.source]} if found.is_large else {})},
        as_kind=as_kind, matched=found.count, **columns,
    )  # fmt: skip
    if found.is_large:
        return queue_job(unit, job)
    if found.listing is not None:
        before = deepcopy(vars(job))
        job.matched = await found.store(unit, job.id)
        await progress.store_job(unit, job, before)
    elif len(found.items) > MAX_INLINE_CUSTOMERS:
        await store_target(unit, job, found.items)
    if job.matched > MAX_INLINE_CUSTOMERS:
        return queue_job(unit, job)
    return await run_inline(unit, job, found.items)


def check_all_or_nothing_size(unit: UnitOfWork, wanted: JobOptions, count: int) -> None:
    """Raises LimitError where so many rows are too many to be done all or none."""
    most = MAX_ROWS_ALL_OR_NOTHING.get(unit.transaction.dialect.name, count)
    if wanted.abort and not wanted.dry_run and count > most:
        message = (
            f"Here at most {most} customers can be changed all or none, and these are {count}: others could not write "
            "meanwhile. Try them with `dryRun` first, then leave `onError` at CONTINUE."
        )
        raise LimitError(message, ("options", "onError"), limit=most, current=count)


async def store_target(unit: UnitOfWork, job: Row, items: Sequence[JobItem]) -> None:
    """Keeps the rows as the job's target."""
    number = unit.workspace_id
    rows = (
        new_row(tables.JobTarget, workspace_id=number, job_id=job.id, row=one.row, node_id=one.id or b"")
        for one in items
    )
    await unit.transaction.insert(*rows)


async def insert_job(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: Any,
    wanted: JobOptions,
    *,
    state: Mapping[str, Any] | None = None,
    as_kind: JobKind | None = None,
    **columns: Any,
) -> Row:
    """A new job, not begun."""
    job = new_row(
        tables.Job,
        workspace_id=unit.workspace_id,
        kind=int(kind if as_kind is None else as_kind),
        arguments=as_stored_json({"verb": int(kind), "given": arguments}),
        target=as_stored_json(target),
        label=wanted.label,
        dry_run=wanted.dry_run,
        on_error=int(wanted.abort),
        actor_kind=int(unit.viewer.actor_kind),
        actor_id=unit.viewer.actor_id or None,
        request_id=unit.author.request_id,
        state=as_stored_json(dict(state or {})),
        **{"counts": {}, **columns},
    )
    await unit.transaction.insert(job)
    return job


def as_stored_json(value: Any) -> Any:
    """Just as it is read back from the database, so that rules see the same now and later."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def queue_job(unit: UnitOfWork, job: Row) -> Row:
    """A worker of this process is told once the job is there."""
    database = unit.transaction.database
    unit.after_commit.append(lambda: wake_workers(database))
    return job


async def run_inline(unit: UnitOfWork, job: Row, items: Sequence[JobItem]) -> Row:
    """Does all of it in this transaction."""
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


def check_row_count(rows: Sequence[Any], most: int, path: tuple[str, ...]) -> None:
    """Raises InputError where there are no rows or too many."""
    if not rows:
        raise InputError(ErrorCode.EMPTY_TARGET, "There are no rows; give at least one.", path)
    if len(rows) > most:
        message = f"There is room for {most} rows; these are {len(rows)}."
        raise LimitError(message, path, limit=most, current=len(rows))


async def submit_two_targets(
    unit: UnitOfWork, kind: JobKind, arguments: Mapping[str, Any], parts: tuple[Target, Target], wanted: JobOptions
) -> Row:
    """The job for two targets, one after the other, where one of them is large. `adding` tells where the first ends."""
    check_all_or_nothing_size(unit, wanted, sum(part.count for part in parts))
    target = {"add": parts[0].stored_form, "remove": parts[1].stored_form}
    if any(part.is_large for part in parts):
        state = {"gathering": [part.source for part in parts]}
        count = sum(part.count for part in parts)
        return queue_job(unit, await insert_job(unit, kind, arguments, target, wanted, state=state, matched=count))
    job = await insert_job(unit, kind, arguments, target, wanted)
    before = deepcopy(vars(job))
    for part in parts:
        if part.listing is not None:
            job.matched += await part.store(unit, job.id, job.matched)
        else:
            await store_target(unit, job, [JobItem(job.matched + one.row, one.id) for one in part.items])
            job.matched += len(part.items)
        if part is parts[0]:
            job.arguments = {**job.arguments, "given": {**job.arguments["given"], "adding": job.matched}}
    await progress.store_job(unit, job, before)
    return queue_job(unit, job)
