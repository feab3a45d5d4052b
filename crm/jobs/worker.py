"""The worker: claims jobs one at a time and continues each chunk by chunk from its stored progress."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import uuid4

from crm.access import accounts
from crm.access.permissions import Viewer
from crm.bulk import HANDLER_MODULES
from crm.errors import ExpectedError
from crm.jobs import clock, handlers, maintenance, progress, target_snapshot
from crm.jobs.handlers import JobItem, JobTask
from crm.jobs.progress import RowFailed
from crm.jobs.progress_log import ProgressLog
from crm.jobs.target_snapshot import LeaseLost
from crm.jobs.wakeups import wakeup_event
from crm.unit_of_work import UnitOfWork, run_unit_of_work
from db.engine import Database, Transaction
from db.errors import StorageError
from db.queries import jobs
from db.queries.matching import targets
from db.rows import Row
from db.tables.enums import ActorKind, JobKind, JobStatus
from db.values import ids
from db.values.time_units import MS_PER_MINUTE

assert HANDLER_MODULES, "a worker knows every job handler"

_log = logging.getLogger("clientela.jobs")

LEASE_MS: Final = 30_000
"""Duration of a worker's lease on a job in milliseconds. A chunk takes a small part of it."""

LONG_LEASE_MS: Final = 15 * MS_PER_MINUTE
"""Duration in milliseconds of the lease on a job that is one transaction."""

POLL_SECONDS: Final = 1.0
"""Seconds between two polls for jobs that other processes submitted or left."""

WORKER_SLOTS: Final = 2
"""Jobs that one process executes at the same time."""

TIME_SLICE_SECONDS: Final = 1.0
"""Seconds that a worker slot spends on a job while other jobs wait. After that the next job runs."""

FIRST_CHUNK_ROWS: Final = {"sqlite": 50, "postgresql": 250}
"""Rows of a job's first chunk by database. The duration of each chunk determines the size of the next one."""

TARGET_CHUNK_SECONDS: Final = {"sqlite": 0.06, "postgresql": 0.4}
"""Target duration of a chunk in seconds. It limits how long other writers wait on SQLite and how soon a cancelled job
stops. It is long enough to make the cost of starting and committing a chunk small."""

MIN_PAUSE_SECONDS: Final = 0.02
"""Minimum pause in seconds between two chunks. Waiting writers on SQLite need the pause to get the lock. On a busy
machine, where chunks take longer, they poll less often."""

_PAUSE_FRACTION: Final = {"sqlite": 1 / 3, "postgresql": 0}
"""Pause after a chunk as a fraction of the chunk's duration."""

MAX_CHUNK_GROWTH: Final = {"sqlite": 1.3, "postgresql": 2.0}
"""Maximum growth factor from one chunk to the next. A chunk may be slow or fast for reasons other than its rows, so
sizes change gradually."""


async def run_worker(database: Database, *, stop: asyncio.Event) -> None:
    """Runs until `stop` is set, and then stops between two chunks."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(maintenance.run_maintenance(database, stop))
        for _ in range(WORKER_SLOTS):
            tasks.create_task(_run_slot(database, f"{uuid4().hex}", stop))


async def _run_slot(database: Database, worker: str, stop: asyncio.Event) -> None:
    event, sizes = wakeup_event(database), _ChunkSizes()
    while not stop.is_set():
        event.clear()
        try:
            busy = await run_next_job(database, worker, stop, sizes)
        except StorageError as error:
            _log.warning("jobs wait for the database: %s", error)
            busy = False
        except Exception:
            _log.exception("the worker failed; it continues with the next job")
            busy = False
        if not busy:
            await maintenance.wait_for_work(POLL_SECONDS, event, stop)


class _ChunkSizes(dict[bytes, int]):
    """The size of the next chunk of each job that a worker slot has paused."""

    def remember(self, job_id: bytes, size: int) -> None:
        if len(self) > 1_000:
            self.clear()
        self[job_id] = size


async def run_next_job(
    database: Database, worker: str, stop: asyncio.Event, chunk_sizes: _ChunkSizes | None = None
) -> bool:
    """Claims the first available job and runs it to its end; False if there is none.

    With `chunk_sizes`, the job is paused when other jobs have waited for a time slice."""
    for open_job in await jobs.open_jobs(database.session(None), clock.database_time(database)):
        now = clock.database_time(database)
        claimed = await database.write(
            open_job.workspace_id,
            lambda transaction, open_job=open_job, now=now: jobs.claim_job(
                transaction, open_job.id, worker, now=now, until=now + LEASE_MS
            ),  # type: ignore[misc]
        )
        if claimed:
            await _run_job(database, open_job.workspace_id, open_job.id, worker, stop, chunk_sizes)
            return True
    return False


async def _run_job(
    database: Database,
    workspace_id: int,
    job_id: bytes,
    worker: str,
    stop: asyncio.Event,
    chunk_sizes: _ChunkSizes | None,
) -> None:
    dialect = database.dialect.name
    size, slice_end = (
        FIRST_CHUNK_ROWS[dialect] if chunk_sizes is None else chunk_sizes.get(job_id, FIRST_CHUNK_ROWS[dialect]),
        time.monotonic() + TIME_SLICE_SECONDS,
    )
    report = ProgressLog()
    while not stop.is_set():
        started_at = time.perf_counter()
        try:
            if not await _run_chunk(database, workspace_id, job_id, worker, size, stop, report):
                return report.log_end(await _load_job(database, workspace_id, job_id))
        except LeaseLost:
            # Another worker has the job, or it was cancelled: the next chunk finds out.
            continue
        except StorageError as error:
            _log.warning("job %s waits for the database: %s", job_id.hex(), error)
            size = max(1, size // 4)
            await asyncio.sleep(POLL_SECONDS)
            continue
        duration = time.perf_counter() - started_at
        size = _next_size(size, duration, dialect)
        if chunk_sizes is not None and time.monotonic() > slice_end:
            chunk_sizes.remember(job_id, size)
            if await jobs.open_jobs(database.session(None), clock.database_time(database)):
                break
            slice_end = time.monotonic() + TIME_SLICE_SECONDS
        # Gives other writers and this process's other tasks a chance.
        await asyncio.sleep(max(MIN_PAUSE_SECONDS, duration * _PAUSE_FRACTION[dialect]))
        await maintenance.merge_search_index(database, maintenance.INDEX_STEPS_PER_CHUNK)
    # Puts the job behind those that have waited longer.
    lease_end = None if stop.is_set() else clock.database_time(database) - 1
    await database.write(
        workspace_id, lambda transaction: jobs.release_job(transaction, job_id, worker, until=lease_end)
    )


def _next_size(size: int, duration: float, dialect: str) -> int:
    """The number of rows that takes the target duration of a chunk."""
    return max(
        10,
        min(
            handlers.MAX_CHUNK_ROWS,
            int(size * min(MAX_CHUNK_GROWTH[dialect], TARGET_CHUNK_SECONDS[dialect] / max(duration, 0.001))),
        ),
    )


async def _load_job(database: Database, workspace_id: int, job_id: bytes) -> Any:
    return (await jobs.any_by_ids(database.session(workspace_id), [job_id])).get(job_id)


async def _run_chunk(
    database: Database,
    workspace_id: int,
    job_id: bytes,
    worker: str,
    size: int,
    stop: asyncio.Event | None = None,
    report: ProgressLog | None = None,
) -> bool:
    """Runs one more chunk. Returns whether there is more to do. Raises LeaseLost."""
    now = clock.database_time(database)
    job = await _load_job(database, workspace_id, job_id)
    if job is None or job.leased_by != worker or job.finished_at is not None:
        return False
    if report is not None:
        report.log_progress(job)
    viewer = await accounts.viewer_of_actor(database, workspace_id, ActorKind(job.actor_kind), job.actor_id, now)
    task = progress.task_of(job)
    if viewer is None or not handlers.handler_of(job).is_allowed_for(viewer):
        return await _end_job(
            database,
            workspace_id,
            task.job,
            worker,
            "The person who started this job no longer has the permission for it.",
        )
    if job.status == JobStatus.CANCELLING:
        if job.kind != JobKind.UNDO and handlers.handler_of(job).finishes_when_cancelled:
            return await _finish_job(database, workspace_id, task, worker, JobStatus.CANCELLED)
        return await _end_job(database, workspace_id, task.job, worker, None)
    if target_snapshot.is_pending(task):
        return await _store_target(database, workspace_id, viewer, task, worker)
    if task.state.get(_FINISHING):
        return await _finish_job(database, workspace_id, task, worker)
    if job.on_error:
        lease: dict[str, int] = {"leased_until": now + LONG_LEASE_MS}
        await database.write(
            workspace_id, lambda transaction: jobs.store_progress(transaction, job_id, worker, job.status, lease)
        )
    prepare_chunk = handlers.handler_of(job).prepare_chunk
    try:
        if prepare_chunk is not None:
            async with _renewed_lease(database, task.job, worker):
                await prepare_chunk(database.session(workspace_id), viewer, task, size)
        return await run_unit_of_work(
            database, viewer, lambda unit: _advance(unit, job, worker, size, stop),
            now=ids.current_time(), request_id=job.request_id, job_id=job_id,
        )  # fmt: skip
    except ExpectedError as error:
        return await _end_job(database, workspace_id, task.job, worker, error.message)
    except (LeaseLost, StorageError):
        raise
    except Exception:
        _log.exception("job %s failed with an exception", job_id.hex())
        return await _end_job(
            database, workspace_id, task.job, worker, "The server failed while it ran this job; try it again."
        )


async def _store_target(database: Database, workspace_id: int, viewer: Viewer, task: JobTask, worker: str) -> bool:
    """Stores the whole target before the job begins."""
    try:
        await target_snapshot.store_snapshot(
            database, viewer, task, worker, lambda: clock.database_time(database) + LEASE_MS
        )
    except ExpectedError as error:
        return await _end_job(database, workspace_id, task.job, worker, error.message)
    return True


async def _advance(unit: UnitOfWork, job: Any, worker: str, size: int, stop: asyncio.Event | None) -> bool:
    task = progress.task_of(job)
    row = task.job
    status_before = row.status
    row.started_at = row.started_at or unit.now
    row.status, row.leased_until = int(JobStatus.RUNNING), clock.database_time(unit.transaction.database) + LEASE_MS
    if row.on_error and not row.dry_run:
        await _all_or_nothing(unit, task, stop)
    else:
        items = await _next_items(unit, task, min(size, handlers.handler_of(row).max_chunk_rows))
        try:
            await progress.run_chunk(unit, task, items)
            if not items or row.processed >= row.matched:
                _mark_done(task, unit.now)
        except RowFailed as failure:
            await progress.abort_task(unit, task, failure.result, None)
    columns = {name: getattr(row, name) for name in _STORED_COLUMNS}
    if not await jobs.store_progress(unit.transaction, row.id, worker, status_before, columns):
        raise LeaseLost
    return row.finished_at is None


_STORED_COLUMNS: Final = (
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
    """Runs the whole job in one transaction. If the worker stops or the job is cancelled, everything is rolled back."""
    separate_session = unit.transaction.database.session(unit.workspace_id)
    try:
        async with unit.transaction.savepoint():
            while items := await _next_items(unit, task, handlers.MAX_CHUNK_ROWS):
                await progress.run_chunk(unit, task, items)
                stored_job = (await jobs.any_by_ids(separate_session, [task.job.id])).get(task.job.id)
                if (
                    stored_job is None
                    or stored_job.status == JobStatus.CANCELLING
                    or (stop is not None and stop.is_set())
                ):
                    raise LeaseLost
        _mark_done(task, unit.now)
    except RowFailed as failure:
        await progress.abort_task(unit, task, failure.result, None)


def _mark_done(task: JobTask, now: int) -> None:
    """Called after the last row. If the job creates files, they follow next, outside of any transaction."""
    if task.job.kind != JobKind.UNDO and handlers.handler_of(task.job).finish_job is not None:
        task.state[_FINISHING] = True
    else:
        progress.set_final_status(task.job, now)


async def _finish_job(
    database: Database, workspace_id: int, task: JobTask, worker: str, status: JobStatus | None = None
) -> bool:
    """Creates the job's files and ends the job. The results of its rows determine the status, unless a status is
    given."""
    job, finish = task.job, handlers.handler_of(task.job).finish_job
    assert finish is not None
    async with _renewed_lease(database, job, worker):
        files = await finish(database.session(workspace_id), task)
    status_before = job.status
    progress.set_final_status(job, ids.current_time())
    columns = {"status": job.status if status is None else int(status), "finished_at": job.finished_at}

    async def end(transaction: Transaction) -> None:
        await transaction.insert(*files)
        if not await jobs.store_progress(transaction, job.id, worker, status_before, columns):
            raise LeaseLost

    await database.write(workspace_id, end)
    return False


@asynccontextmanager
async def _renewed_lease(database: Database, job: Row, worker: str) -> AsyncIterator[None]:
    """Renews the worker's lease on the job for as long as the block runs."""

    async def renew_lease(transaction: Transaction) -> None:
        await jobs.store_progress(
            transaction, job.id, worker, job.status, {"leased_until": clock.database_time(database) + LEASE_MS}
        )

    async def renew() -> None:
        while not is_finished.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(is_finished.wait(), LEASE_MS / 3_000)
                return
            with suppress(StorageError):
                await database.write(job.workspace_id, renew_lease)

    is_finished = asyncio.Event()
    renewal = asyncio.create_task(renew())
    try:
        yield
    finally:
        # Does not cancel the renewal in the middle of a transaction.
        is_finished.set()
        await renewal


_FINISHING: Final = "finishing"


async def _next_items(unit: UnitOfWork, task: JobTask, size: int) -> Sequence[JobItem]:
    handler, after = handlers.handler_of(task.job), task.state.get("after", -1)
    if handler.read_items is None or handlers.has_stored_target(task.job):
        return [
            JobItem(row.row, row.node_id) for row in await targets.next_rows(unit.transaction, task.job.id, after, size)
        ]
    return await handler.read_items(unit, task, after, size)


async def _end_job(database: Database, workspace_id: int, job: Row, worker: str, error: str | None) -> bool:
    """Ends the job because it failed or was cancelled."""
    status = JobStatus.CANCELLED if error is None else JobStatus.FAILED
    columns = {"status": int(status), "error": error, "finished_at": ids.current_time()}
    is_stored = await database.write(
        workspace_id, lambda transaction: jobs.store_progress(transaction, job.id, worker, job.status, columns)
    )
    return not is_stored
