"""The worker: takes jobs one at a time and goes on with each where it is, chunk by chunk."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import uuid4

from crm.access import accounts
from crm.access.permissions import Viewer
from crm.bulk import ROOMS
from crm.errors import ExpectedError
from crm.jobs import clock, handlers, maintenance, progress, target_snapshot
from crm.jobs.handlers import JobItem, JobTask
from crm.jobs.progress import RowFailed
from crm.jobs.progress_log import ProgressLog
from crm.jobs.target_snapshot import LeaseLost
from crm.jobs.wakeups import wakeup_event
from crm.settings import Settings
from crm.unit_of_work import UnitOfWork, run_unit_of_work
from db.engine import Database, Transaction
from db.errors import StorageError
from db.queries import jobs
from db.queries.matching import targets
from db.rows import Row
from db.tables.enums import ActorKind, JobKind, JobStatus
from db.values import ids

assert ROOMS, "a worker knows every verb"

_log = logging.getLogger("clientela.jobs")

LEASE_MS: Final = 30_000
"""Milliseconds for which a job is a worker's without a sign of life. A chunk takes a small part of that."""

LONG_LEASE_MS: Final = 15 * 60_000
"""The same for a job that is one transaction."""

POLL_SECONDS: Final = 1.0
"""Seconds between two looks for jobs that other processes began or left."""

WORKER_SLOTS: Final = 2
"""Jobs that one process works on at the same time."""

TIME_SLICE_SECONDS: Final = 1.0
"""Seconds that a lane works on a job while others wait; then it is their turn."""

FIRST_CHUNK_ROWS: Final = {"sqlite": 50, "postgresql": 250}
"""Rows of a job's first chunk; what it takes decides on the next one's."""

TARGET_CHUNK_SECONDS: Final = {"sqlite": 0.06, "postgresql": 0.4}
"""What a chunk should take. So long other writers wait on SQLite, a cancelled job goes on, and a chunk costs more than
its beginning and its end."""

MIN_PAUSE_SECONDS: Final = 0.02
"""Seconds between two chunks, at least. On SQLite whoever waits to write has to find them: on a busy machine, where
chunks take longer, he looks less often."""

_PART: Final = {"sqlite": 1 / 3, "postgresql": 0}
"""How much of the time that a chunk took."""

MAX_CHUNK_GROWTH: Final = {"sqlite": 1.3, "postgresql": 2.0}
"""How many times larger than the one before a chunk may be: where one took long for another reason than its rows, those
after it are not much larger than those before."""


async def run_worker(database: Database, *, settings: Settings | None, stop: asyncio.Event) -> None:
    """Works until told to stop, and then stops between two chunks."""
    async with asyncio.TaskGroup() as lanes:
        lanes.create_task(maintenance.run_maintenance(database, stop))
        for _ in range(WORKER_SLOTS):
            lanes.create_task(_lane(database, f"{uuid4().hex}", stop))


async def _lane(database: Database, worker: str, stop: asyncio.Event) -> None:
    event, sizes = wakeup_event(database), _Sizes()
    while not stop.is_set():
        event.clear()
        try:
            busy = await run_next_job(database, worker, stop, sizes)
        except StorageError as error:
            _log.warning("jobs wait for the database: %s", error)
            busy = False
        except Exception:
            _log.exception("the worker failed; it goes on with what comes next")
            busy = False
        if not busy:
            await maintenance.wait_for_work(POLL_SECONDS, event, stop)


class _Sizes(dict[bytes, int]):
    """How many rows the next chunk of each job has that a lane works on by turns."""

    def keep(self, job_id: bytes, size: int) -> None:
        if len(self) > 1_000:
            self.clear()
        self[job_id] = size


async def run_next_job(database: Database, worker: str, stop: asyncio.Event, turns: _Sizes | None = None) -> bool:
    """Works on the first job that it gets, to its end, or where jobs take `turns` until others have waited long enough;
    False where there is none."""
    for found in await jobs.open_jobs(database.session(None), clock.database_time(database)):
        now = clock.database_time(database)
        claimed = await database.write(
            found.workspace_id,
            lambda transaction, found=found, now=now: jobs.claim_job(
                transaction, found.id, worker, now=now, until=now + LEASE_MS
            ),  # type: ignore[misc]
        )
        if claimed:
            await _work(database, found.workspace_id, found.id, worker, stop, turns)
            return True
    return False


async def _work(
    database: Database, workspace_id: int, job_id: bytes, worker: str, stop: asyncio.Event, turns: _Sizes | None
) -> None:
    kind = database.dialect.name
    size, until = (
        FIRST_CHUNK_ROWS[kind] if turns is None else turns.get(job_id, FIRST_CHUNK_ROWS[kind]),
        time.monotonic() + TIME_SLICE_SECONDS,
    )
    report = ProgressLog()
    while not stop.is_set():
        began = time.perf_counter()
        try:
            if not await _chunk(database, workspace_id, job_id, worker, size, stop, report):
                return report.log_end(await _one(database, workspace_id, job_id))
        except LeaseLost:
            # Another worker's, or cancelled: the next look tells.
            continue
        except StorageError as error:
            _log.warning("job %s waits: %s", job_id.hex(), error)
            size = max(1, size // 4)
            await asyncio.sleep(POLL_SECONDS)
            continue
        took = time.perf_counter() - began
        size = _next_size(size, took, kind)
        if turns is not None and time.monotonic() > until:
            turns.keep(job_id, size)
            if await jobs.open_jobs(database.session(None), clock.database_time(database)):
                break
            until = time.monotonic() + TIME_SLICE_SECONDS
        # Others have their turn at the database, and at this process.
        await asyncio.sleep(max(MIN_PAUSE_SECONDS, took * _PART[kind]))
        await maintenance.merge_search_index(database, maintenance.INDEX_STEPS_PER_CHUNK)
    # Behind those who have waited longer.
    last = None if stop.is_set() else clock.database_time(database) - 1
    await database.write(workspace_id, lambda transaction: jobs.release_job(transaction, job_id, worker, until=last))


def _next_size(size: int, took: float, kind: str) -> int:
    """So many rows that they take as long as a chunk should."""
    return max(
        10,
        min(
            handlers.MAX_CHUNK_ROWS,
            int(size * min(MAX_CHUNK_GROWTH[kind], TARGET_CHUNK_SECONDS[kind] / max(took, 0.001))),
        ),
    )


async def _one(database: Database, workspace_id: int, job_id: bytes) -> Any:
    return (await jobs.any_by_ids(database.session(workspace_id), [job_id])).get(job_id)


async def _chunk(
    database: Database,
    workspace_id: int,
    job_id: bytes,
    worker: str,
    size: int,
    stop: asyncio.Event | None = None,
    report: ProgressLog | None = None,
) -> bool:
    """One more chunk; whether there is more to do. Raises Lost."""
    now = clock.database_time(database)
    job = await _one(database, workspace_id, job_id)
    if job is None or job.leased_by != worker or job.finished_at is not None:
        return False
    if report is not None:
        report.log_progress(job)
    viewer = await accounts.viewer_of_actor(database, workspace_id, ActorKind(job.actor_kind), job.actor_id, now)
    task = progress.task_of(job)
    if viewer is None or not handlers.handler_of(job).is_allowed_for(viewer):
        return await _end(database, workspace_id, task.job, worker, "Whoever began it may not do this any more.")
    if job.status == JobStatus.CANCELLING:
        if job.kind != JobKind.UNDO and handlers.handler_of(job).finishes_when_cancelled:
            return await _finish(database, workspace_id, task, worker, JobStatus.CANCELLED)
        return await _end(database, workspace_id, task.job, worker, None)
    if target_snapshot.is_pending(task):
        return await _gather(database, workspace_id, viewer, task, worker)
    if task.state.get(_FINISHING):
        return await _finish(database, workspace_id, task, worker)
    if job.on_error:
        lease: dict[str, int] = {"leased_until": now + LONG_LEASE_MS}
        await database.write(
            workspace_id, lambda transaction: jobs.store_progress(transaction, job_id, worker, job.status, lease)
        )
    ahead = handlers.handler_of(job).prepare_chunk
    try:
        if ahead is not None:
            async with _held(database, task.job, worker):
                await ahead(database.session(workspace_id), viewer, task, size)
        return await run_unit_of_work(
            database, viewer, lambda unit: _advance(unit, job, worker, size, stop),
            now=ids.current_time(), request_id=job.request_id, job_id=job_id,
        )  # fmt: skip
    except ExpectedError as refused:
        return await _end(database, workspace_id, task.job, worker, refused.message)
    except (LeaseLost, StorageError):
        raise
    except Exception:
        _log.exception("job %s broke", job_id.hex())
        return await _end(database, workspace_id, task.job, worker, "The server failed while it worked on this.")


async def _gather(database: Database, workspace_id: int, viewer: Viewer, task: JobTask, worker: str) -> bool:
    """All that the job is about, before it begins."""
    try:
        await target_snapshot.store_snapshot(
            database, viewer, task, worker, lambda: clock.database_time(database) + LEASE_MS
        )
    except ExpectedError as refused:
        return await _end(database, workspace_id, task.job, worker, refused.message)
    return True


async def _advance(unit: UnitOfWork, job: Any, worker: str, size: int, stop: asyncio.Event | None) -> bool:
    task = progress.task_of(job)
    row = task.job
    seen = row.status
    row.started_at = row.started_at or unit.now
    row.status, row.leased_until = int(JobStatus.RUNNING), clock.database_time(unit.transaction.database) + LEASE_MS
    if row.on_error and not row.dry_run:
        await _all_or_nothing(unit, task, stop)
    else:
        items = await _next(unit, task, min(size, handlers.handler_of(row).max_chunk_rows))
        try:
            await progress.run_chunk(unit, task, items)
            if not items or row.processed >= row.matched:
                _done(task, unit.now)
        except RowFailed as failed:
            await progress.abort_task(unit, task, failed.result, None)
    changed = {name: getattr(row, name) for name in _KEPT}
    if not await jobs.store_progress(unit.transaction, row.id, worker, seen, changed):
        raise LeaseLost
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


async def _all_or_nothing(unit: UnitOfWork, task: JobTask, stop: asyncio.Event | None) -> None:
    """The whole job is one transaction. Where the worker is to stop, or the job was cancelled, none of it was done."""
    apart = unit.transaction.database.session(unit.workspace_id)
    try:
        async with unit.transaction.savepoint():
            while items := await _next(unit, task, handlers.MAX_CHUNK_ROWS):
                await progress.run_chunk(unit, task, items)
                held = (await jobs.any_by_ids(apart, [task.job.id])).get(task.job.id)
                if held is None or held.status == JobStatus.CANCELLING or (stop is not None and stop.is_set()):
                    raise LeaseLost
        _done(task, unit.now)
    except RowFailed as failed:
        await progress.abort_task(unit, task, failed.result, None)


def _done(task: JobTask, now: int) -> None:
    """All rows are done; where files are to be made of them, that comes next, outside of any transaction."""
    if task.job.kind != JobKind.UNDO and handlers.handler_of(task.job).finish_job is not None:
        task.state[_FINISHING] = True
    else:
        progress.set_final_status(task.job, now)


async def _finish(
    database: Database, workspace_id: int, task: JobTask, worker: str, status: JobStatus | None = None
) -> bool:
    """Makes the job's files, and ends it: as what became of its rows says, unless a status is given."""
    job, finish = task.job, handlers.handler_of(task.job).finish_job
    assert finish is not None
    async with _held(database, job, worker):
        files = await finish(database.session(workspace_id), task)
    seen = job.status
    progress.set_final_status(job, ids.current_time())
    changed = {"status": job.status if status is None else int(status), "finished_at": job.finished_at}

    async def end(transaction: Transaction) -> None:
        await transaction.insert(*files)
        if not await jobs.store_progress(transaction, job.id, worker, seen, changed):
            raise LeaseLost

    await database.write(workspace_id, end)
    return False


@asynccontextmanager
async def _held(database: Database, job: Row, worker: str) -> AsyncIterator[None]:
    """However long it takes, the job stays this worker's meanwhile, for as long as the worker lives."""

    async def again(transaction: Transaction) -> None:
        await jobs.store_progress(
            transaction, job.id, worker, job.status, {"leased_until": clock.database_time(database) + LEASE_MS}
        )

    async def renew() -> None:
        while not done.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), LEASE_MS / 3_000)
                return
            with suppress(StorageError):
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


async def _next(unit: UnitOfWork, task: JobTask, size: int) -> Sequence[JobItem]:
    verb, after = handlers.handler_of(task.job), task.state.get("after", -1)
    if verb.read_items is None or handlers.has_stored_target(task.job):
        return [
            JobItem(row.row, row.node_id) for row in await targets.next_rows(unit.transaction, task.job.id, after, size)
        ]
    return await verb.read_items(unit, task, after, size)


async def _end(database: Database, workspace_id: int, job: Row, worker: str, error: str | None) -> bool:
    """The job is over: it broke, or was cancelled."""
    status = JobStatus.CANCELLED if error is None else JobStatus.FAILED
    changed = {"status": int(status), "error": error, "finished_at": ids.current_time()}
    kept = await database.write(
        workspace_id, lambda transaction: jobs.store_progress(transaction, job.id, worker, job.status, changed)
    )
    return not kept
