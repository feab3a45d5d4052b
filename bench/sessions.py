"""What a statement costs by the ways Python can send it: CPU milliseconds for fifty customers by their keys.

    python -m bench.sessions postgresql://user@host/database
    python -m bench.sessions sqlite:////tmp/bench.db

The database is migrated and gets a workspace of its own.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import aiosqlite
import asyncpg
from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import col, select

from db import engine, tables
from db.migrations import runner
from db.statements import any_of, in_workspace, prepare
from db.values import ids

WORKSPACE = 1 + ids.current_time()
ROUNDS, REPEATS = 7, 400

BY_IDS = prepare(select(tables.Customer).where(in_workspace(tables.Customer), any_of(tables.Customer.id, "ids")))
PLAIN = (
    select(tables.Customer)
    .where(col(tables.Customer.workspace_id) == bindparam("workspace_id"))
    .where(col(tables.Customer.id).in_(bindparam("ids", expanding=True)))
)


async def main(url: str) -> None:
    await runner.upgrade(url)
    database = await engine.connect(url)
    rows = [tables.Customer(workspace_id=WORKSPACE, name=f"C{number}", name_key=f"c{number}") for number in range(50)]
    await database.write(WORKSPACE, lambda work: work.insert(*rows))
    keys = [row.id for row in rows]
    alchemy = create_async_engine(runner.driver_url(url))
    text, arguments = BY_IDS.compiled_for(database.dialect).bind({"workspace_id": WORKSPACE, "ids": keys})

    async def light() -> Any:
        return await database.session(WORKSPACE).fetch_all(BY_IDS, ids=keys)

    async def core() -> Any:
        async with alchemy.connect() as connection:
            return (await connection.execute(PLAIN, {"workspace_id": WORKSPACE, "ids": keys})).all()

    async def mapped() -> Any:
        async with AsyncSession(alchemy) as session:
            return (await session.scalars(PLAIN, {"workspace_id": WORKSPACE, "ids": keys})).all()

    bare = await _bare(url, text, arguments)
    ways = {
        "the driver alone": bare,
        "compiled once, on the driver": light,
        "SQLAlchemy Core": core,
        "mapped objects": mapped,
    }
    costs = await _measured(ways)
    for name, cost in costs.items():
        print(f"{name:32} {cost:7.3f} ms  {cost / costs['the driver alone']:5.2f} x")
    await alchemy.dispose()
    await database.close()


async def _bare(url: str, text: str, arguments: list[Any]) -> Callable[[], Awaitable[Any]]:
    if url.startswith("sqlite:"):
        file = await aiosqlite.connect(url.removeprefix("sqlite:///"))
        return lambda: file.execute_fetchall(text, arguments)
    connection = await asyncpg.connect(url)
    return lambda: connection.fetch(text, *arguments)


async def _measured(ways: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, float]:
    """Median CPU milliseconds of this process per statement; the ways alternate."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.process_time()
            for _ in range(REPEATS):
                assert len(await way()) == 50
            spent[name].append((time.process_time() - began) / REPEATS * 1000)
    return {name: median(times) for name, times in spent.items()}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    # The drivers' threads would keep the process alive.
    raise SystemExit(0)
