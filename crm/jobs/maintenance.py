"""Periodic maintenance by the worker: it reclaims idle customers, deletes expired rows, compares clocks and merges the
search index on SQLite.

Several processes may run each task at the same time. A task that another process has completed finds nothing to do."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from crm import retention
from crm.bulk import reclaiming
from crm.jobs import clock
from db.engine import Database
from db.errors import StorageError
from db.queries.assignment import idle_customers
from db.queries.customers import sqlite_search_index
from db.values import ids

_log = logging.getLogger("clientela.jobs")


async def reclaim_idle_customers(database: Database) -> None:
    """Returns idle customers to the pool in every workspace that reclaims automatically."""
    for workspace_id in await idle_customers.workspaces_with_reclaim(database.session(None)):
        await reclaiming.start_reclaim(database, workspace_id, now=ids.current_time())


INDEX_STEPS_PER_CHUNK: Final = 8
"""Merge steps of the search index after each chunk of a job. A chunk needs two or three."""

_PAUSE_SECONDS: Final = 0.01


async def merge_search_index(database: Database, steps: int = 10 * INDEX_STEPS_PER_CHUNK) -> None:
    """Merges the search index on SQLite in small steps, so that other writers can run between them."""
    if database.dialect.name != "sqlite":
        return
    for _ in range(steps):
        if not await database.write(None, sqlite_search_index.merge_step):
            return
        await asyncio.sleep(_PAUSE_SECONDS)


async def merge_search_index_periodically(database: Database) -> None:
    """Switches SQLite to stepwise merging: writers no longer merge the index, because the worker does."""
    if database.dialect.name == "sqlite":
        await database.write(None, sqlite_search_index.merge_by_steps)


TASKS: Final[tuple[tuple[float, Callable[[Database], Awaitable[Any]]], ...]] = (
    (float("inf"), merge_search_index_periodically),
    (5.0, merge_search_index),
    (5 * 60.0, clock.measure_skew),
    (15 * 60.0, reclaim_idle_customers),
    (60 * 60.0, retention.delete_expired),
)
"""Interval in seconds and the task. Every task also runs once at the start."""


async def run_maintenance(database: Database, stop: asyncio.Event) -> None:
    """Runs the tasks until `stop` is set."""
    due_times = [0.0] * len(TASKS)
    while not stop.is_set():
        for index, (interval, task) in enumerate(TASKS):
            if time.monotonic() >= due_times[index] and not stop.is_set():
                due_times[index] = time.monotonic() + interval
                await _run_task(database, task)
        await wait_for_work(max(0.0, min(due_times) - time.monotonic()), stop)


async def _run_task(database: Database, task: Callable[[Database], Awaitable[Any]]) -> None:
    try:
        await task(database)
    except StorageError as error:
        _log.warning("%s waits for the database: %s", task.__name__, error)
    except Exception:
        _log.exception("%s failed and will be retried later", task.__name__)


async def wait_for_work(seconds: float, *events: asyncio.Event) -> None:
    """Waits until one of the events is set or the time has passed."""
    waits = [asyncio.ensure_future(wait.wait()) for wait in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await wait
