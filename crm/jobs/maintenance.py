"""What the worker does now and then: it looks for idle customers, sweeps out what has run out, compares clocks, and
keeps SQLite's index of texts in order.

Several processes may do each at once: what one has done, the next one finds done.
"""

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
    """Customers whom nobody looks after go back to the pool."""
    for workspace_id in await idle_customers.workspaces_with_reclaim(database.session(None)):
        await reclaiming.start_reclaim(database, workspace_id, now=ids.current_time())


INDEX_STEPS_PER_CHUNK: Final = 8
"""Steps of merging the index of texts after a chunk of a job; it needs two or three."""

_GAP: Final = 0.01


async def merge_search_index(database: Database, steps: int = 10 * INDEX_STEPS_PER_CHUNK) -> None:
    """Merges the index of texts on SQLite, in steps between which others write."""
    if database.dialect.name != "sqlite":
        return
    for _ in range(steps):
        if not await database.write(None, sqlite_search_index.merge_step):
            return
        await asyncio.sleep(_GAP)


async def merge_search_index_periodically(database: Database) -> None:
    """Whoever writes does not merge, for there is a worker who does."""
    if database.dialect.name == "sqlite":
        await database.write(None, sqlite_search_index.merge_by_steps)


TASKS: Final[tuple[tuple[float, Callable[[Database], Awaitable[Any]]], ...]] = (
    (float("inf"), merge_search_index_periodically),
    (5.0, merge_search_index),
    (5 * 60.0, clock.measure_skew),
    (15 * 60.0, reclaim_idle_customers),
    (60 * 60.0, retention.delete_expired),
)
"""Seconds between two times, and what is done; each at the start, too."""


async def run_maintenance(database: Database, stop: asyncio.Event) -> None:
    """Until told to stop."""
    due = [0.0] * len(TASKS)
    while not stop.is_set():
        for place, (every, chore) in enumerate(TASKS):
            if time.monotonic() >= due[place] and not stop.is_set():
                due[place] = time.monotonic() + every
                await _done(database, chore)
        await wait_for_work(max(0.0, min(due) - time.monotonic()), stop)


async def _done(database: Database, chore: Callable[[Database], Awaitable[Any]]) -> None:
    try:
        await chore(database)
    except StorageError as error:
        _log.warning("%s waits for the database: %s", chore.__name__, error)
    except Exception:
        _log.exception("%s failed; it is tried again later", chore.__name__)


async def wait_for_work(seconds: float, *events: asyncio.Event) -> None:
    """Until one of them is set, or the time is over."""
    waits = [asyncio.ensure_future(one.wait()) for one in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await one
