"""Beginning a job: few rows are done at once, more are left to a worker."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crm.errors import ErrorCode, Forbidden, InputError, LimitError
from crm.jobs import progress, targets
from crm.jobs.handlers import VERBS, Item
from crm.jobs.progress import Failed
from crm.jobs.targets import AT_ONCE, Found
from crm.jobs.wakeups import wake
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.rows import Row, new_row
from db.tables.enums import JobKind

ABORT: Final = 1

AT_A_STROKE: Final = {"sqlite": 5_000}
"""Rows that are done all or none, for that is one transaction: on SQLite nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a job is to be done."""

    dry_run: bool = False
    abort: bool = False
    label: str | None = None


def options(given: Mapping[str, Any] | None) -> Options:
    """Raises InputError TOO_LONG for the label."""
    given = given or {}
    label = text_values.text(given.get("label"), ("options", "label"), longest=text_values.NAME)
    return Options(bool(given.get("dry_run")), int(given.get("on_error") or 0) == ABORT, label)


async def begin(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: targets.Given,
    given_options: Mapping[str, Any] | None,
    *,
    state: Mapping[str, Any] | None = None,
) -> Row:
    """The job for the customers of a target. Raises Forbidden, and what targets.find raises."""
    allow(unit, kind)
    wanted = options(given_options)
    found = await targets.find(unit, target)
    return await start(unit, kind, arguments, found, wanted, state=state)


def allow(unit: UnitOfWork, kind: JobKind) -> None:
    """Raises Forbidden where the viewer lacks the permission that jobs of this kind need."""
    if not VERBS[kind].allows(unit.viewer):
        raise Forbidden(VERBS[kind].permissions[0])


async def start(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    found: Found,
    wanted: Options,
    *,
    state: Mapping[str, Any] | None = None,
    as_kind: JobKind | None = None,
    **columns: Any,
) -> Row:
    """The job, done where it is small, else waiting for a worker. A job `as_kind` does what `kind` does. Raises
    LimitError where they are too many to be done all or none."""
    bounded(unit, wanted, found.count)
    job = await write(
        unit, kind, arguments, found.target, wanted,
        state={**(state or {}), **({"gathering": [found.source]} if found.large else {})},
        as_kind=as_kind, matched=found.count, **columns,
    )  # fmt: skip
    if found.large:
        return later(unit, job)
    if found.match is not None:
        before = deepcopy(vars(job))
        job.matched = await found.keep(unit, job.id)
        await progress.keep(unit, job, before)
    elif len(found.items) > AT_ONCE:
        await stored(unit, job, found.items)
    if job.matched > AT_ONCE:
        return later(unit, job)
    return await at_once(unit, job, found.items)


def bounded(unit: UnitOfWork, wanted: Options, count: int) -> None:
    """Raises LimitError where so many rows are too many to be done all or none."""
    most = AT_A_STROKE.get(unit.transaction.dialect.name, count)
    if wanted.abort and not wanted.dry_run and count > most:
        message = (
            f"Here at most {most} customers can be changed all or none, and these are {count}: others could not write "
            "meanwhile. Try them with `dryRun` first, then leave `onError` at CONTINUE."
        )
        raise LimitError(message, ("options", "onError"), limit=most, current=count)


async def stored(unit: UnitOfWork, job: Row, items: Sequence[Item]) -> None:
    """Keeps the rows as the job's target."""
    number = unit.workspace_id
    rows = (
        new_row(tables.JobTarget, workspace_id=number, job_id=job.id, row=one.row, node_id=one.id or b"")
        for one in items
    )
    await unit.transaction.insert(*rows)


async def write(
    unit: UnitOfWork,
    kind: JobKind,
    arguments: Mapping[str, Any],
    target: Any,
    wanted: Options,
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
        arguments=plain({"verb": int(kind), "given": arguments}),
        target=plain(target),
        label=wanted.label,
        dry_run=wanted.dry_run,
        on_error=int(wanted.abort),
        actor_kind=int(unit.viewer.actor_kind),
        actor_id=unit.viewer.actor_id or None,
        request_id=unit.author.request_id,
        state=plain(dict(state or {})),
        **{"counts": {}, **columns},
    )
    await unit.transaction.insert(job)
    return job


def plain(value: Any) -> Any:
    """Just as it is read back from the database, so that rules see the same now and later."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def later(unit: UnitOfWork, job: Row) -> Row:
    """A worker of this process is told once the job is there."""
    database = unit.transaction.database
    unit.after_commit.append(lambda: wake(database))
    return job


async def at_once(unit: UnitOfWork, job: Row, items: Sequence[Item]) -> Row:
    """Does all of it in this transaction."""
    before = deepcopy(vars(job))
    job.started_at = unit.now
    task = progress.task(job)
    try:
        if job.on_error and not job.dry_run:
            async with unit.transaction.savepoint():
                await progress.advance(unit, task, items)
        else:
            await progress.advance(unit, task, items)
        await progress.finish(unit, task)
        progress.ended(job, unit.now)
    except Failed as failed:
        await progress.abort(unit, task, failed.result, items)
    await progress.keep(unit, job, before)
    return job


def at_most(rows: Sequence[Any], most: int, path: tuple[str, ...]) -> None:
    """Raises InputError where there are no rows or too many."""
    if not rows:
        raise InputError(ErrorCode.EMPTY_TARGET, "There are no rows; give at least one.", path)
    if len(rows) > most:
        message = f"There is room for {most} rows; these are {len(rows)}."
        raise LimitError(message, path, limit=most, current=len(rows))


async def both(
    unit: UnitOfWork, kind: JobKind, arguments: Mapping[str, Any], parts: tuple[Found, Found], wanted: Options
) -> Row:
    """The job for two targets, one after the other, where one of them is large. `adding` tells where the first ends."""
    bounded(unit, wanted, sum(part.count for part in parts))
    target = {"add": parts[0].target, "remove": parts[1].target}
    if any(part.large for part in parts):
        state = {"gathering": [part.source for part in parts]}
        count = sum(part.count for part in parts)
        return later(unit, await write(unit, kind, arguments, target, wanted, state=state, matched=count))
    job = await write(unit, kind, arguments, target, wanted)
    before = deepcopy(vars(job))
    for part in parts:
        if part.match is not None:
            job.matched += await part.keep(unit, job.id, job.matched)
        else:
            await stored(unit, job, [Item(job.matched + one.row, one.id) for one in part.items])
            job.matched += len(part.items)
        if part is parts[0]:
            job.arguments = {**job.arguments, "given": {**job.arguments["given"], "adding": job.matched}}
    await progress.keep(unit, job, before)
    return later(unit, job)
