"""Changing many customers: a tag on 100 000 of them as a job, against the same in bare SQL.

    python -m bench.bulk [customers] [database url]

Without a URL a SQLite file in a temporary directory is used; on PostgreSQL give an empty, migrated database.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from crm import access
from crm.access import Viewer
from crm.acting import perform
from crm.bulk import calls
from crm.jobs import running
from db import engine, ids, migrating, tables, wire
from db.engine import Database, Work
from db.queries import jobs
from db.reading import Prepared
from db.rows import fresh
from db.tables.enums import ActorKind, Role
from tests import make


async def prepared(database: Database, count: int) -> tuple[int, bytes, Viewer]:
    number = await make.workspace(database)
    agent, tag = make.agent(role=Role.ADMIN), make.tag("gold")

    async def fill(work: Work) -> None:
        for row in (agent, tag):
            row.workspace_id = number
            await work.insert(row)
        rows = [
            fresh(tables.Customer, workspace_id=number, name=f"Customer {place}", name_key=f"customer {place}")
            for place in range(count)
        ]
        await work.insert(*rows)
        await work.insert(
            *(
                fresh(tables.CustomerSearch, workspace_id=number, customer_id=row.id, text=f"{row.name_key}\nhanoi")
                for row in rows
            )
        )

    await database.write(number, fill)
    return number, tag.id, Viewer(number, ActorKind.AGENT, agent.id, access.OF_ROLE[Role.ADMIN])


async def bare(database: Database, number: int, tag: bytes) -> float:
    """What the work comes to where nobody is asked: link, mirrors, log, search text."""
    postgresql = database.dialect.name == "postgresql"
    empty = "'[]'::jsonb" if postgresql else "'[]'"
    place = "row_number() over (order by id)"
    statements = [
        f"insert into customer_tag (workspace_id, customer_id, tag_id) select workspace_id, id, :tag from customer"
        f" where workspace_id = {number}",
        "update customer set tag_count = 1, first_tag_key = 'gold', version = version + 1, updated_at = :now"
        f" where workspace_id = {number}",
        "insert into change (workspace_id, seq, at, action, entity, node_id, version, fields, actor_kind)"
        f" select workspace_id, {place}, :now, 1, 'Customer', id, version, {empty}, 0 from customer"
        f" where workspace_id = {number}",
        f"update customer_search set text = text || ' gold' where workspace_id = {number}",
        f"update counter set change = change + 1 where workspace_id = {number}",
    ]
    began = time.perf_counter()

    async def all_of_it(work: Work) -> None:
        for statement in statements:
            clause = text(statement)
            given = {"tag": tag, "now": ids.now()}
            names = {name: given[name] for name in given if f":{name}" in statement}
            await work.execute(Prepared(clause.bindparams(**names)))

    await database.write(number, all_of_it)
    return time.perf_counter() - began


async def as_job(database: Database, viewer: Viewer, tag: bytes) -> tuple[float, float]:
    given = {"tags": {"add": [{"id": wire.wire("Tag")(tag)}]}}
    target = {"match": {"everyone": True, "archived": "EXCLUDE"}}
    began = time.perf_counter()
    job = await perform(database, viewer, lambda act: calls.update(act, given, target, None), now=ids.now())
    answered = time.perf_counter() - began
    await running.once(database, "bench", asyncio.Event())
    done: Any = (await jobs.any_by_ids(database.reading(viewer.workspace_id), [job.id]))[job.id]
    assert done.counts == {"UPDATED": job.matched}, (done.status, done.error, done.counts)
    return answered, time.perf_counter() - began


async def main(count: int, url: str) -> None:
    database = await engine.connect(url, statement_timeout=600)
    number, tag, viewer = await prepared(database, count)
    plain = await bare(database, number, tag)
    number, tag, viewer = await prepared(database, count)
    answered, took = await as_job(database, viewer, tag)
    print(f"{database.dialect.name}: a tag on {count} customers")
    print(f"  bare SQL {plain:6.1f} s | answer {answered:5.2f} s | job {took:6.1f} s | ratio {took / plain:4.1f}")
    await database.close()


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        asyncio.run(main(many, sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as directory:
            where = f"sqlite:///{Path(directory) / 'bench.db'}"
            asyncio.run(migrating.upgrade(where))
            asyncio.run(main(many, where))
