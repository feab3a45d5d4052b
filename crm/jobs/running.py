"""The worker: takes jobs one at a time and goes on with each where it is, chunk by chunk."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

from crm import accounts
from crm.acting import Act, perform
from crm.bulk import ROOMS, reclaiming
from crm.errors import Refusal
from crm.files import storage, sweeping
from crm.jobs import verbs, working
from crm.jobs.reporting import Report
from crm.jobs.signals import waiting
from crm.jobs.verbs import Item, Task
from crm.jobs.working import Failed
from crm.settings import Settings
from db import ids
from db.engine import Database, Work
from db.errors import StorageError
from db.queries import jobs, reclaims
from db.rows import Row
from db.tables.enums import ActorKind, JobKind, JobStatus

assert ROOMS, "a worker knows every verb"

_log = logging.getLogger("clientela.jobs")

LEASE: Final = 30_000
"""Milliseconds for which a job is a worker's without a sign of life. A chunk takes a small part of that."""

LONG_LEASE: Final = 15 * 60_000
"""The same for a job that is one transaction."""

POLL: Final = 1.0
"""Seconds between two looks for jobs that other processes began or left."""

RECLAIM_EVERY: Final = 15 * 60.0
"""Seconds between two looks for customers whom nobody looks after."""

LANES: Final = 2
"""Jobs that one process works on at the same time."""

FIRST: Final = 250
"""Rows of a job's first chunk; what it takes decides on the next one's."""

SECONDS: Final = {"sqlite": 0.2, "postgresql": 0.5}
"""What a chunk should take: so long all other writers wait on SQLite, and a cancelled job goes on. A short chunk costs
more for each of its rows."""


class Lost(Exception):
    """The job is another worker's now, or was cancelled: what this chunk did is undone."""


async def run(database: Database, *, settings: Settings | None, stop: asyncio.Event) -> None:
    """Works until told to stop, and then stops between two chunks."""
    async with asyncio.TaskGroup() as lanes:
        lanes.create_task(_reclaim(database, stop))
        for _ in range(LANES):
            lanes.create_task(_lane(database, f"{uuid4().hex}", stop))


async def _reclaim(database: Database, stop: asyncio.Event) -> None:
    """Now and then looks for idle customers, and for files that nobody can fetch any more. Several processes may: who
    is in the pool already is skipped."""
    while not stop.is_set():
        try:
            for workspace_id in await reclaims.workspaces(database.reading(None)):
                await reclaiming.run(database, workspace_id, now=ids.now())
            if (kept := storage.attached(database)) is not None:
                await asyncio.to_thread(sweeping.sweep, kept)
        except StorageError as error:
            _log.warning("reclaiming waits for the database: %s", error)
        except Exception:
            _log.exception("reclaiming failed; it is tried again later")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RECLAIM_EVERY)


async def _lane(database: Database, worker: str, stop: asyncio.Event) -> None:
    event = waiting(database)
    while not stop.is_set():
        event.clear()
        try:
            busy = await once(database, worker, stop)
        except StorageError as error:
            _log.warning("jobs wait for the database: %s", error)
            busy = False
        except Exception:
            _log.exception("the worker failed; it goes on with what comes next")
            busy = False
        if not busy:
            await _pause(event, stop)


async def _pause(event: asyncio.Event, stop: asyncio.Event) -> None:
    """Until there may be a job."""
    waits = [asyncio.ensure_future(one.wait()) for one in (event, stop)]
    await asyncio.wait(waits, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await one


async def once(database: Database, worker: str, stop: asyncio.Event) -> bool:
    """Works on the first job that it gets, to its end; False where there is none."""
    for found in await jobs.open_jobs(database.reading(None), ids.now()):
        now = ids.now()
        claimed = await database.write(
            found.workspace_id,
            lambda work, found=found, now=now: jobs.claim(work, found.id, worker, now=now, until=now + LEASE),  # type: ignore[misc]
        )
        if claimed:
            await _work(database, found.workspace_id, found.id, worker, stop)
            return True
    return False


async def _work(database: Database, workspace_id: int, job_id: bytes, worker: str, stop: asyncio.Event) -> None:
    size, seconds, report = FIRST, SECONDS[database.dialect.name], Report()
    while not stop.is_set():
        began = time.perf_counter()
        try:
            if not await _chunk(database, workspace_id, job_id, worker, size, report):
                return report.ended(await _one(database, workspace_id, job_id))
        except Lost:
            return
        except StorageError as error:
            _log.warning("job %s waits: %s", job_id.hex(), error)
            size = max(1, size // 4)
            await asyncio.sleep(POLL)
            continue
        took = time.perf_counter() - began
        size = max(10, min(verbs.CHUNK, int(size * min(4.0, seconds / max(took, 0.001)))))
        # Others have their turn at the database, and at this process.
        await asyncio.sleep(min(0.02, took / 10))
    await database.write(workspace_id, lambda work: jobs.let_go(work, job_id, worker, until=None))


async def _one(database: Database, workspace_id: int, job_id: bytes) -> Any:
    return (await jobs.any_by_ids(database.reading(workspace_id), [job_id])).get(job_id)


async def _chunk(
    database: Database, workspace_id: int, job_id: bytes, worker: str, size: int, report: Report | None = None
) -> bool:
    """One more chunk; whether there is more to do."""
    now = ids.now()
    job = await _one(database, workspace_id, job_id)
    if job is None or job.leased_by != worker or job.finished_at is not None:
        return False
    if report is not None:
        report.seen(job)
    viewer = await accounts.viewer_of(database, workspace_id, ActorKind(job.actor_kind), job.actor_id, now)
    task = working.task(job)
    if viewer is None or not viewer.may(verbs.of(job).permission):
        return await _end(database, workspace_id, task.job, worker, "Whoever began it may not do this any more.")
    if job.status == JobStatus.CANCELLING:
        if job.kind != JobKind.UNDO and verbs.of(job).finish_cancelled:
            return await _finish(database, workspace_id, task, worker, JobStatus.CANCELLED)
        return await _end(database, workspace_id, task.job, worker, None)
    if task.state.get(_FINISHING):
        return await _finish(database, workspace_id, task, worker)
    if job.on_error:
        lease: dict[str, int] = {"leased_until": now + LONG_LEASE}
        await database.write(workspace_id, lambda work: jobs.keep(work, job_id, worker, job.status, lease))
    ahead = verbs.of(job).ahead
    try:
        if ahead is not None:
            async with _held(database, task.job, worker):
                await ahead(database.reading(workspace_id), viewer, task, size)
        return await perform(
            database, viewer, lambda act: _advance(act, job, worker, size),
            now=now, request_id=job.request_id, job_id=job_id,
        )  # fmt: skip
    except Refusal as refused:
        return await _end(database, workspace_id, task.job, worker, refused.message)
    except (Lost, StorageError):
        raise
    except Exception:
        _log.exception("job %s broke", job_id.hex())
        return await _end(database, workspace_id, task.job, worker, "The server failed while it worked on this.")


async def _advance(act: Act, job: Any, worker: str, size: int) -> bool:
    task = working.task(job)
    row = task.job
    seen = row.status
    row.started_at = row.started_at or act.now
    row.status, row.leased_until = int(JobStatus.RUNNING), act.now + LEASE
    if row.on_error and not row.dry_run:
        await _all_or_nothing(act, task, size)
    else:
        items = await _next(act, task, min(size, verbs.of(row).most))
        await working.advance(act, task, items)
        if not items or row.processed >= row.matched:
            _done(task, act.now)
    changed = {name: getattr(row, name) for name in _KEPT}
    if not await jobs.keep(act.work, row.id, worker, seen, changed):
        raise Lost
    return row.finished_at is None


_KEPT: Final = (
    "status",
    "processed",
    "counts",
    "state",
    "error",
    "started_at",
    "finished_at",
    "leased_until",
    "matched",
)


async def _all_or_nothing(act: Act, task: Task, size: int) -> None:
    """The whole job is one transaction."""
    try:
        async with act.work.part():
            while items := await _next(act, task, verbs.CHUNK):
                await working.advance(act, task, items)
        _done(task, act.now)
    except Failed as failed:
        await working.abort(act, task, failed.result, None)


def _done(task: Task, now: int) -> None:
    """All rows are done; where files are to be made of them, that comes next, outside of any transaction."""
    if task.job.kind != JobKind.UNDO and verbs.of(task.job).finish is not None:
        task.state[_FINISHING] = True
    else:
        working.ended(task.job, now)


async def _finish(
    database: Database, workspace_id: int, task: Task, worker: str, status: JobStatus | None = None
) -> bool:
    """Makes the job's files, and ends it: as what became of its rows says, unless a status is given."""
    job, finish = task.job, verbs.of(task.job).finish
    assert finish is not None
    async with _held(database, job, worker):
        files = await finish(database.reading(workspace_id), task)
    seen = job.status
    working.ended(job, ids.now())
    changed = {"status": job.status if status is None else int(status), "finished_at": job.finished_at}

    async def end(work: Work) -> None:
        await work.insert(*files)
        if not await jobs.keep(work, job.id, worker, seen, changed):
            raise Lost

    await database.write(workspace_id, end)
    return False


@asynccontextmanager
async def _held(database: Database, job: Row, worker: str) -> AsyncIterator[None]:
    """However long it takes, the job stays this worker's meanwhile, for as long as the worker lives."""

    async def again(work: Work) -> None:
        await jobs.keep(work, job.id, worker, job.status, {"leased_until": ids.now() + LEASE})

    async def renew() -> None:
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), LEASE / 3_000)
                return
            with contextlib.suppress(StorageError):
                await database.write(job.workspace_id, again)

    done = asyncio.Event()
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        # Not in the middle of a transaction.
        done.set()
        await renewing


_FINISHING: Final = "finishing"


async def _next(act: Act, task: Task, size: int) -> Sequence[Item]:
    verb, after = verbs.of(task.job), task.state.get("after", -1)
    if task.job.kind == JobKind.UNDO or verb.read is None:
        return [Item(row.row, row.node_id) for row in await jobs.targets(act.work, task.job.id, after, size)]
    return await verb.read(act, task, after, size)


async def _end(database: Database, workspace_id: int, job: Row, worker: str, error: str | None) -> bool:
    """The job is over: it broke, or was cancelled."""
    status = JobStatus.CANCELLED if error is None else JobStatus.FAILED
    changed = {"status": int(status), "error": error, "finished_at": ids.now()}
    kept = await database.write(workspace_id, lambda work: jobs.keep(work, job.id, worker, job.status, changed))
    return not kept
