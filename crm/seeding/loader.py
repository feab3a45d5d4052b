"""Rows into the database: a chunk to a transaction, the lines of the log last in it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import SQLModel

from crm.seeding import chunk_producer, chunks
from crm.seeding.plan import Plan
from crm.seeding.rows import CHANGE, COLUMNS, JSON_LAST, Rows
from db import tables
from db.engine import Database, Transaction
from db.queries import workspaces
from db.statements import prepare

Progress = Callable[[int, int], None]
"""Told how many customers are in and how many there will be."""

Coming = AsyncGenerator[Rows, None]
"""The chunks, one after the other."""

_TABLES: Sequence[type[SQLModel]] = (*COLUMNS, tables.Change)

# Transactions side by side. SQLite has one writer; PostgreSQL has a process for each.
_LANES = {"postgresql": 2, "sqlite": 1}

# Every index of a million customers is written to all over. With SQLite's small cache and early checkpoints most of its
# pages would be read and written again for every chunk: kilobytes of cache (negative), pages of log to a checkpoint.
_ROOM = {"cache_size": -262_144, "wal_autocheckpoint": 65_536}


async def load(database: Database, plan: Plan, progress: Progress) -> None:
    """Adds every chunk; the log has them in their order. What was committed stays when a later one fails."""
    async with _roomy(database), aclosing(chunk_producer.made(plan)) as coming:
        try:
            await _side_by_side(database, plan, coming, progress)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
    await _count_out(database)


async def _side_by_side(database: Database, plan: Plan, coming: Coming, progress: Progress) -> None:
    lanes, before, done = asyncio.Semaphore(_LANES[database.dialect.name]), asyncio.Event(), 0
    before.set()
    async with asyncio.TaskGroup() as group:
        async for rows in coming:
            await lanes.acquire()
            done, after = min(done + chunks.SIZE, plan.customers), asyncio.Event()
            report = partial(progress, done, plan.customers)
            task = group.create_task(_write(database, rows, before, after, report))
            task.add_done_callback(lambda _: lanes.release())
            before = after


async def _write(
    database: Database, rows: Rows, before: asyncio.Event, after: asyncio.Event, report: Callable[[], None]
) -> None:
    """The chunk behind does not wait for the one before it, but takes its numbers after it."""

    async def rule(transaction: Transaction) -> None:
        await add(transaction, rows)
        await before.wait()
        await log(transaction, rows)

    await database.write(rows.workspace_id, rule)
    after.set()
    report()


async def add(transaction: Transaction, rows: Rows) -> None:
    """All but the log."""
    for table, columns in COLUMNS.items():
        records = rows.of(table)
        if records:
            await transaction.copy(table, columns, _ready(transaction, table, records))


async def log(transaction: Transaction, rows: Rows) -> None:
    """The log, under the workspace's next numbers, after all else."""
    first = await workspaces.take_change_numbers(transaction, len(rows.changes))
    numbered = ((first + place, *line) for place, line in enumerate(rows.changes))
    await transaction.copy(tables.Change, ("seq", *CHANGE), _ready(transaction, tables.Change, numbered))


def _ready(
    transaction: Transaction, table: type[SQLModel], records: Iterable[tuple[Any, ...]]
) -> Iterable[tuple[Any, ...]]:
    """JSON that is written already, as each database takes it."""
    if table not in JSON_LAST:
        return records
    written: Callable[[bytes], Any] = orjson.Fragment if transaction.dialect.name == "postgresql" else bytes.decode
    return ((*record[:-1], written(record[-1])) for record in records)


@asynccontextmanager
async def _roomy(database: Database) -> AsyncIterator[None]:
    """SQLite's writer has more room for as long as this lasts."""
    room = _ROOM if database.dialect.name == "sqlite" else {}
    found = {name: await _pragma(database, name) for name in room}
    for name, value in room.items():
        await _pragma(database, f"{name} = {value}")
    try:
        yield
    finally:
        for name, value in found.items():
            await _pragma(database, f"{name} = {value}")


async def _pragma(database: Database, words: str) -> Any:
    async with database.transaction(None) as transaction:
        found: Any = await transaction.fetch_first(prepare(text(f"PRAGMA {words}")))
    return found and found[0]


async def _count_out(database: Database) -> None:
    """Lets PostgreSQL know what it holds now: until then its plans are for empty tables. SQLite was told with its
    first migration, for good."""
    if database.dialect.name != "sqlite":
        session = database.session(None)
        for table in _TABLES:
            await session.fetch_all(prepare(text(f"VACUUM (ANALYZE) {table.__tablename__}")))
