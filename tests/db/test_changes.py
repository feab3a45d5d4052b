"""The log: one customer's lines are read from an index, and older databases learn whose lines they hold."""

import json
import sqlite3
from contextlib import closing

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import select

from db import tables
from db.engine import connect
from db.migrations import runner
from db.queries import change_log
from db.rows import new_row
from db.statements import in_workspace, prepare
from db.values import ids
from tests.support import factories
from tests.support.databases import KINDS, finished, require

LINES = 5_000


def _line(workspace_id, seq, node_id, **more):
    columns = {"at": seq, "action": 1, "entity": "Customer", "version": 1, "fields": [], "actor_kind": 0, **more}
    return new_row(tables.Change, workspace_id=workspace_id, seq=seq, node_id=node_id, **columns)


async def _plan(database, database_url, statement, values):
    if database.dialect.name == "sqlite":
        with closing(sqlite3.connect(database.pool._path)) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            return "\n".join(row[3] for row in rows)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("ANALYZE change")
        rows = await connection.fetch(f"EXPLAIN {statement}", *values)
    finally:
        await connection.close()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("by", ["node_id", "customer_id"])
async def test_the_lines_of_a_customer_are_read_from_an_index(database, database_url, workspace_id, by):
    people = [ids.new_id() for _ in range(LINES // 5)]
    own = [people[place % len(people)] for place in range(LINES)]
    rows = [
        _line(workspace_id, place + 1, one)
        if place % 2
        else _line(workspace_id, place + 1, ids.new_id(), entity="Note", customer_id=one)
        for place, one in enumerate(own)
    ]
    await database.write(workspace_id, lambda transaction: transaction.insert(*rows))
    asked = {"after": 0, "size": 51, "customers": [people[3]], "workspace_id": workspace_id}
    text, values = change_log._lines((False,) * 5, by).compiled_for(database.dialect).bind(asked)
    plan = await _plan(database, database_url, text, values)
    assert f"ix_change_{by}_seq" in plan, plan


@pytest.fixture(params=KINDS)
def older(request, databases):
    """A database without `change.customer_id`."""
    require(request.param, databases)
    url = finished(databases.empty(request.param))
    finished(runner._run(url, _first_version))
    yield url
    finished(databases.drop(url))


def _first_version(connection):
    configuration = runner._configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "0001")


async def test_who_was_logged_before_is_known_after_a_migration(older):
    """Of a note that lives, of one that was deleted, and of what belongs to nobody."""
    customer = factories.customer()
    note, gone, tag = factories.note(customer), ids.new_id(), ids.new_id()
    lines = [("Note", note.id, None), ("Note", gone, None), ("Note", gone, customer.id), ("Tag", tag, None)]

    def fill(connection):
        for row in (customer, note):
            columns = {one.name: getattr(row, one.name) for one in row.__table__.columns} | {"workspace_id": 7}
            connection.execute(row.__table__.insert().values(**columns))
        for seq, (entity, node, named) in enumerate(lines):
            told = f"'{json.dumps({'customer': named.hex()})}'" if named else "NULL"
            connection.execute(sa.text(LINE.format(audience=told)), {"seq": seq, "entity": entity, "node": node})

    await runner._run(older, fill)
    await runner.upgrade(older)
    database = await connect(older)
    found = await database.session(7).fetch_all(prepare(select(tables.Change).where(in_workspace(tables.Change))))
    await database.close()
    assert [row.customer_id for row in sorted(found, key=lambda row: row.seq)] == [customer.id] * 3 + [None]


LINE = """
    INSERT INTO change (workspace_id, seq, at, action, entity, node_id, version, fields, actor_kind, audience)
    VALUES (7, :seq, 0, 0, :entity, :node, 1, '[]', 0, {audience})
"""
