"""The engine room: transactions that are whole, writers that take turns, failures in the words of db.errors."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import bindparam, func, literal_column, update
from sqlmodel import col, select

from db import engine, tables
from db.engine import Database, Transaction
from db.errors import StatementTimedOut, TransactionConflict, Unavailable, UniqueViolation
from db.statements import PreparedStatement, any_of, in_workspace, prepare
from tests.support import factories, sql_inspection

NAMES = prepare(select(tables.Tag).where(in_workspace(tables.Tag)).order_by(col(tables.Tag.name_key)))
AMONG = prepare(select(tables.Tag).where(in_workspace(tables.Tag), any_of(tables.Tag.name_key, "names")))
COUNTER = prepare(select(tables.Counter).where(in_workspace(tables.Counter)))
COUNT_ON = prepare(update(tables.Counter).where(in_workspace(tables.Counter)).values(change=bindparam("next")))


async def test_rows_read_like_the_tables_and_hold_what_was_stored(database, workspace_id, save, session):
    stored = factories.segment("Quý khách", filter={"and": [{"name": {"eq": "é"}}]}, description=None)
    await save(stored)
    row = await session.fetch_first(prepare(select(tables.Segment).where(in_workspace(tables.Segment))))
    assert row is not None
    assert row.table is tables.Segment
    assert {name: getattr(row, name) for name in tables.Segment.model_fields} == stored.model_dump()


async def test_true_and_false_come_back_as_such(save, session):
    await save(factories.agent(active=False))
    row = await session.fetch_first(prepare(select(tables.Agent).where(in_workspace(tables.Agent))))
    assert row.active is False


@pytest.mark.parametrize("many", [0, 1, 3, 1000])
async def test_a_list_of_any_length_is_one_statement(save, session, sent, many):
    await save(factories.tag("a"), factories.tag("b"))
    sent.clear()
    found = await session.fetch_all(AMONG, names=["a"] * bool(many) + [f"x{number}" for number in range(many - 1)])
    assert [row.name for row in found] == ["a"] * bool(many)
    assert len(sent) == 1


async def test_many_rows_are_copied_as_one_is_inserted(database, workspace_id, session, sent):
    for row in (added := [factories.tag(f"t{number:03}") for number in range(250)]):
        row.workspace_id = workspace_id
    sent.clear()
    await database.write(workspace_id, lambda transaction: transaction.insert(*added))
    assert len(sent) == 1
    assert [row.name for row in await session.fetch_all(NAMES)] == [row.name for row in added]


async def test_an_exception_undoes_the_whole_transaction(database, workspace_id, session):
    async def half(transaction: Transaction) -> None:
        tag = factories.tag()
        tag.workspace_id = workspace_id
        await transaction.insert(tag)
        assert len(await transaction.fetch_all(NAMES)) == 1
        raise LookupError("half way")

    with pytest.raises(LookupError, match="half way"):
        await database.write(workspace_id, half)
    assert await session.fetch_all(NAMES) == []


async def test_a_held_unique_value_names_its_columns(save):
    await save(factories.tag("VIP"))
    with pytest.raises(UniqueViolation) as refusal:
        await save(factories.tag("vip"))
    assert (refusal.value.table, refusal.value.columns) == ("tag", ("kind", "unique_key"))


async def test_a_workspace_reads_nothing_of_another(database, save):
    await save(factories.tag("mine"))
    other = await factories.workspace(database)
    assert await database.session(other).fetch_all(NAMES) == []


async def test_parallel_writers_lose_no_update(database, workspace_id):
    """Each reads the counter and writes one more: without turns two would write the same number."""

    async def count_on(transaction: Transaction) -> None:
        counter = await transaction.fetch_first(LOCKED)
        await asyncio.sleep(0)
        await transaction.execute(COUNT_ON, next=counter.change + 1)

    await asyncio.gather(*(database.write(workspace_id, count_on) for _ in range(40)))
    counter = await database.session(workspace_id).fetch_first(COUNTER)
    assert counter.change == 40


# SQLite's writers take turns anyway, and it knows no such clause.
LOCKED = prepare(
    select(tables.Counter).where(in_workspace(tables.Counter)).with_for_update(),
    sqlite=select(tables.Counter).where(in_workspace(tables.Counter)),
)


async def test_a_transaction_that_lost_a_race_is_run_again(database, workspace_id):
    runs = []

    async def contended(transaction: Transaction) -> int:
        runs.append(1)
        if len(runs) < 3:
            raise TransactionConflict("lost")
        return len(runs)

    assert await database.write(workspace_id, contended) == 3


async def test_one_that_always_loses_gives_up(database, workspace_id, monkeypatch):
    monkeypatch.setattr(engine, "_PAUSE", 0)

    async def contended(transaction: Transaction) -> None:
        raise TransactionConflict("lost")

    with pytest.raises(TransactionConflict):
        await database.write(workspace_id, contended)


async def test_a_statement_that_takes_too_long_is_stopped(database_url):
    slow = await engine.connect(database_url, statement_timeout=0.2)
    with pytest.raises(StatementTimedOut):
        await slow.session(None).fetch_all(_endless(slow))
    await engine.ping(slow)
    await slow.close()


def _endless(database: Database) -> PreparedStatement[Any]:
    if database.dialect.name == "postgresql":
        return prepare(select(func.pg_sleep(5).label("slept")))
    numbers = select(literal_column("1").label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1))
    return prepare(select(func.count().label("count")).select_from(numbers))


async def test_a_database_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="nothing"):
        await engine.connect(f"sqlite:///{tmp_path}/nothing.db")
    refused = await engine.connect("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable):
        await engine.ping(refused)
    await refused.close()


async def test_counting_statements_ends_with_its_block(database):
    with sql_inspection.counted() as sent:
        await engine.ping(database)
    await engine.ping(database)
    assert len(sent) == 1


async def test_a_writer_who_gives_up_while_he_begins_holds_nobody_up(
    database, database_url, workspace_id, save, session
):
    """On SQLite he waits for another process's transaction then."""
    other = await engine.connect(database_url)
    inside, leave = asyncio.Event(), asyncio.Event()

    async def stay(transaction: Transaction) -> None:
        inside.set()
        await leave.wait()

    async def nothing(transaction: Transaction) -> None:
        return None

    staying = asyncio.create_task(other.write(workspace_id, stay))
    await inside.wait()
    waiting = asyncio.create_task(database.write(workspace_id, nothing))
    await asyncio.sleep(0.05)
    waiting.cancel()
    leave.set()
    await asyncio.gather(staying, waiting, return_exceptions=True)
    await save(factories.tag("after"))
    assert [row.name for row in await session.fetch_all(NAMES)] == ["after"]
    await other.close()


async def test_rows_by_pieces_are_those_of_one_moment(database, save, session):
    await save(*(factories.tag(f"t{number:03}") for number in range(25)))
    found: list[Any] = []
    async for piece in session.stream(NAMES, 10):
        found.append([row.name for row in piece])
        if len(found) == 1:
            await save(factories.tag("t0075"))
    assert [len(piece) for piece in found] == [10, 10, 5]
    assert [name for piece in found for name in piece] == [f"t{number:03}" for number in range(25)]


async def test_pieces_that_are_left_give_their_connection_back(database, save, session):
    await save(*(factories.tag(f"t{number:03}") for number in range(25)))
    for _ in range(20):
        pieces = session.stream(NAMES, 10)
        await anext(pieces)
        await pieces.aclose()
    assert len(await session.fetch_all(NAMES)) == 25
