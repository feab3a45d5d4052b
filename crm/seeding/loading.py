"""Rows into the database: a transaction a chunk, the next ones being made meanwhile."""

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import SQLModel

from crm.seeding import chunks
from crm.seeding.plan import Plan
from crm.seeding.rows import CHANGE, COLUMNS, JSON_LAST, Rows
from db import tables
from db.engine import Database, Work
from db.queries import workspaces
from db.reading import prepared

Progress = Callable[[int, int], None]

# Transactions at a time. SQLite has one writer; PostgreSQL spends two cores better on two.
_LANES = {"postgresql": 2, "sqlite": 1}
_AHEAD = 3
"""Chunks that are made before they are wanted."""


async def load(database: Database, plan: Plan, progress: Progress) -> None:
    """Adds every chunk. What was committed stays when it breaks off; the log is numbered in the order of chunks."""
    lanes = asyncio.Semaphore(_LANES[database.dialect.name])
    before = asyncio.Event()
    before.set()
    number = 0
    try:
        async with asyncio.TaskGroup() as group:
            async for rows in _made(plan):
                await lanes.acquire()
                number += 1
                done, after = min(number * chunks.SIZE, plan.customers), asyncio.Event()
                task = group.create_task(_write(database, rows, before, after))
                task.add_done_callback(lambda _: lanes.release())
                task.add_done_callback(partial(_report, progress, done, plan.customers))
                before = after
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    await _count_out(database)


def _report(progress: Progress, done: int, total: int, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is None:
        progress(done, total)


async def _write(database: Database, rows: Rows, before: asyncio.Event, after: asyncio.Event) -> None:
    """Two chunks go in side by side, but take their numbers in order: the one behind waits with the log alone."""

    async def rule(work: Work) -> None:
        await add(work, rows)
        await before.wait()
        await log(work, rows)

    await database.write(rows.workspace_id, rule)
    after.set()


async def add(work: Work, rows: Rows) -> None:
    """All but the log."""
    for table, columns in COLUMNS.items():
        records = rows.of(table)
        if records:
            await work.copy(table, columns, _ready(work, table, records))


async def log(work: Work, rows: Rows) -> None:
    """The log, under the workspace's next numbers: the last thing in a transaction."""
    first = await workspaces.take_numbers(work, len(rows.changes))
    numbered = ((first + place, *line) for place, line in enumerate(rows.changes))
    await work.copy(tables.Change, ("seq", *CHANGE), _ready(work, tables.Change, numbered))


def _ready(work: Work, table: type[SQLModel], records: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """JSON that is written already, as each database takes it."""
    if table not in JSON_LAST:
        return records
    written: Callable[[bytes], Any] = orjson.Fragment if work.dialect.name == "postgresql" else bytes.decode
    return ((*record[:-1], written(record[-1])) for record in records)


async def _made(plan: Plan) -> AsyncIterator[Rows]:
    """The chunks in order: made here if there is one, else by a process beside this one, a few ahead."""
    count = chunks.count(plan.customers)
    if count == 1:
        yield chunks.made(plan, 0)
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_at_work) as maker:
        coming = deque(maker.submit(chunks.made, plan, number) for number in range(min(_AHEAD, count)))
        for number in range(count):
            yield await asyncio.wrap_future(coming.popleft())
            if number + _AHEAD < count:
                coming.append(maker.submit(chunks.made, plan, number + _AHEAD))


def _at_work() -> None:
    """Ctrl-C is for the process that asked; when that one is gone, so is this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


_VACUUM = [prepared(text(f"VACUUM (ANALYZE) {table.__tablename__}")) for table in (*COLUMNS, tables.Change)]
_ANALYZE = [prepared(text("PRAGMA analysis_limit = 1000")), prepared(text("ANALYZE"))]


async def _count_out(database: Database) -> None:
    """Lets the database know what it holds now: until then its plans are for empty tables."""
    if database.dialect.name == "postgresql":
        session = database.reading(None)
        for statement in _VACUUM:
            await session.rows(statement)
    else:
        async with database.transaction(None) as work:
            for statement in _ANALYZE:
                await work.rows(statement)
