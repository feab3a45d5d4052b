"""Connections: lent to one at a time, given back, replaced when they are gone; SQLite's reads on the loop's thread."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, literal_column, select

from db import engine
from db.drivers import postgresql, sqlite
from db.errors import StatementTimedOut, Unavailable
from db.statements import PreparedStatement, prepare

ONE = prepare(select(literal_column("1").label("one")))
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_postgresql
async def test_more_readers_than_connections_wait_for_their_turn(database_url: str) -> None:
    database = await engine.connect(database_url, size=2)
    found = await asyncio.gather(*(database.session(None).fetch_all(ONE) for _ in range(20)))
    assert [rows[0].one for rows in found] == [1] * 20
    await database.close()


@on_postgresql
async def test_who_waits_too_long_is_told(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "CONNECT_TIMEOUT_SECONDS", 0.05)
    database = await engine.connect(database_url, size=1)
    async with database.pool.reading():
        with pytest.raises(Unavailable):
            await database.session(None).fetch_all(ONE)
    assert (await database.session(None).fetch_all(ONE))[0].one == 1
    await database.close()


@on_postgresql
async def test_a_connection_that_is_gone_is_replaced(database_url: str) -> None:
    database = await engine.connect(database_url, size=1)
    async with database.pool.reading() as connection:
        first = connection
    first.drop()
    assert (await database.session(None).fetch_all(ONE))[0].one == 1
    async with database.pool.reading() as connection:
        assert connection is not first
    await database.close()


@on_postgresql
async def test_one_left_in_a_transaction_is_not_lent_again(database_url: str) -> None:
    database = await engine.connect(database_url, size=1)
    async with database.pool.writing() as connection:
        await connection.script("BEGIN")
        first = connection
    async with database.pool.reading() as connection:
        assert connection is not first
    await database.close()


@on_postgresql
async def test_one_that_nobody_needed_for_long_is_closed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "MAX_IDLE_SECONDS", 0)
    database = await engine.connect(database_url, size=2)
    async with database.pool.reading() as one, database.pool.reading() as other:
        pass
    await database.session(None).fetch_all(ONE)
    assert [one.usable, other.usable].count(True) == 1
    await database.close()


@on_postgresql
async def test_a_read_that_was_cut_off_leaves_its_connection_whole(database_url: str) -> None:
    database = await engine.connect(database_url, size=1)
    sleep: PreparedStatement[Any] = prepare(select(func.pg_sleep(5).label("slept")))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await database.session(None).fetch_all(sleep)
    assert (await database.session(None).fetch_all(ONE))[0].one == 1
    await database.close()


@on_sqlite
async def test_a_long_read_goes_to_another_thread_and_is_found_there(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MAX_INLINE_SECONDS", -1)
    database = await engine.connect(database_url)
    numbers = select(literal_column("1").label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < 100_000))
    counting: PreparedStatement[Any] = prepare(select(func.count().label("count")).select_from(numbers))
    assert [(await database.session(None).fetch_all(counting))[0].count for _ in range(2)] == [100_000] * 2
    await database.close()


@on_sqlite
async def test_a_read_that_never_ends_is_stopped_wherever_it_runs(database_url: str) -> None:
    database = await engine.connect(database_url, statement_timeout=0.2)
    numbers = select(literal_column("1").label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1))
    endless: PreparedStatement[Any] = prepare(select(func.count().label("count")).select_from(numbers))
    with pytest.raises(StatementTimedOut):
        await database.session(None).fetch_all(endless)
    assert (await database.session(None).fetch_all(ONE))[0].one == 1
    await database.close()
