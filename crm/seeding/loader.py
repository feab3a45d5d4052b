"""Loads rows into the database: one transaction per chunk, with the change log last."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import SQLModel

from crm.seeding import chunk_producer, chunks
from crm.seeding.plan import SeedPlan
from crm.seeding.rows import CHANGE_COLUMNS, COLUMNS_BY_TABLE, TABLES_WITH_JSON_LAST, ChunkRows
from db import tables
from db.engine import Database, Transaction
from db.queries import workspaces
from db.statements import prepare

Progress = Callable[[int, int], None]
"""Called with the number of customers loaded so far and the total."""

ChunkStream = AsyncGenerator[ChunkRows, None]
"""The chunks in order."""

_TABLES: Sequence[type[SQLModel]] = (*COLUMNS_BY_TABLE, tables.Change)

# Concurrent transactions. SQLite has one writer; PostgreSQL has a process for each connection.
_CONCURRENT_TRANSACTIONS = {"postgresql": 2, "sqlite": 1}

# A million customers write to all pages of every index. With SQLite's small default cache and early checkpoints, most
# pages would be read and written again for every chunk. Negative cache sizes are kilobytes; the checkpoint is in pages
# of the log.
_SQLITE_PRAGMAS = {"cache_size": -262_144, "wal_autocheckpoint": 65_536}


async def load_chunks(database: Database, plan: SeedPlan, progress: Progress) -> None:
    """Loads all chunks; the change log has them in order. Committed chunks stay if a later one fails."""
    async with _tuned_sqlite(database), aclosing(chunk_producer.produce_chunks(plan)) as stream:
        try:
            await _write_concurrently(database, plan, stream, progress)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
    await _update_statistics(database)


async def _write_concurrently(database: Database, plan: SeedPlan, stream: ChunkStream, progress: Progress) -> None:
    slots, before, loaded = asyncio.Semaphore(_CONCURRENT_TRANSACTIONS[database.dialect.name]), asyncio.Event(), 0
    before.set()
    async with asyncio.TaskGroup() as group:
        async for rows in stream:
            await slots.acquire()
            loaded, after = min(loaded + chunks.CUSTOMERS_PER_CHUNK, plan.customers), asyncio.Event()
            report = partial(progress, loaded, plan.customers)
            task = group.create_task(_write_chunk(database, rows, before, after, report))
            task.add_done_callback(lambda _: slots.release())
            before = after


async def _write_chunk(
    database: Database, rows: ChunkRows, before: asyncio.Event, after: asyncio.Event, report: Callable[[], None]
) -> None:
    """Writes a chunk concurrently with the one before it, but takes its change numbers after it."""

    async def rule(transaction: Transaction) -> None:
        await copy_rows(transaction, rows)
        await before.wait()
        await copy_changes(transaction, rows)

    await database.write(rows.workspace_id, rule)
    after.set()
    report()


async def copy_rows(transaction: Transaction, rows: ChunkRows) -> None:
    """Copies all rows except the change log."""
    for table, columns in COLUMNS_BY_TABLE.items():
        records = rows.rows_of(table)
        if records:
            await transaction.copy(table, columns, _with_json(transaction, table, records))


async def copy_changes(transaction: Transaction, rows: ChunkRows) -> None:
    """Copies the change log under the workspace's next numbers, after all other rows."""
    first = await workspaces.take_change_numbers(transaction, len(rows.changes))
    numbered = ((first + index, *change) for index, change in enumerate(rows.changes))
    await transaction.copy(tables.Change, ("seq", *CHANGE_COLUMNS), _with_json(transaction, tables.Change, numbered))


def _with_json(
    transaction: Transaction, table: type[SQLModel], records: Iterable[tuple[Any, ...]]
) -> Iterable[tuple[Any, ...]]:
    """Converts serialized JSON to the form that each database accepts."""
    if table not in TABLES_WITH_JSON_LAST:
        return records
    convert: Callable[[bytes], Any] = orjson.Fragment if transaction.dialect.name == "postgresql" else bytes.decode
    return ((*record[:-1], convert(record[-1])) for record in records)


@asynccontextmanager
async def _tuned_sqlite(database: Database) -> AsyncIterator[None]:
    """Gives SQLite's writer a larger cache and fewer checkpoints within the block."""
    pragmas = _SQLITE_PRAGMAS if database.dialect.name == "sqlite" else {}
    previous = {name: await _pragma(database, name) for name in pragmas}
    for name, value in pragmas.items():
        await _pragma(database, f"{name} = {value}")
    try:
        yield
    finally:
        for name, value in previous.items():
            await _pragma(database, f"{name} = {value}")


async def _pragma(database: Database, pragma: str) -> Any:
    async with database.transaction(None) as transaction:
        row: Any = await transaction.fetch_first(prepare(text(f"PRAGMA {pragma}")))
    return row and row[0]


async def _update_statistics(database: Database) -> None:
    """Updates PostgreSQL's planner statistics, which are still those of empty tables. SQLite gets fixed statistics in
    its first migration."""
    if database.dialect.name != "sqlite":
        session = database.session(None)
        for table in _TABLES:
            await session.fetch_all(prepare(text(f"VACUUM (ANALYZE) {table.__tablename__}")))
