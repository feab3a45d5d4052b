"""A worker that is killed at any moment loses nothing and doubles nothing."""

import asyncio
import random
import signal
import subprocess
import sys

import pytest

from crm.bulk import calls
from crm.jobs import running
from db import tables
from db.queries import jobs
from db.tables.enums import JobStatus, Role
from tests import make

CUSTOMERS = 6_000
KILLS = 10

WORKER = """
import asyncio, sys
from crm.jobs import running
from db import engine
running.LEASE, running.POLL = 300, 0.02
async def work():
    database = await engine.connect(sys.argv[1])
    print("works", flush=True)
    await running.run(database, settings=None, stop=asyncio.Event())
asyncio.run(work())
"""


@pytest.mark.long
async def test_killed_at_any_moment_it_goes_on_where_it_was(
    database, database_url, save, does, viewer, reading, everything, log
):
    await save(make.agent(id=viewer.actor_id, role=Role.ADMIN))
    await save(*(make.customer(f"c{number}") for number in range(CUSTOMERS)))
    job = await does(calls.update, {"source": "Fair"}, {"match": {"everyone": True, "archived": "EXCLUDE"}}, None)
    dice = random.Random(7)
    seen = set()
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", WORKER, database_url], stdout=subprocess.PIPE)
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(dice.uniform(0.05, 0.9))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        seen.add((await jobs.any_by_ids(reading, [job.id]))[job.id].processed)
    await asyncio.sleep(0.4)
    while await running.once(database, "last", asyncio.Event()):
        pass
    done = (await jobs.any_by_ids(reading, [job.id]))[job.id]
    assert (done.status, done.processed, done.counts) == (JobStatus.DONE, CUSTOMERS, {"UPDATED": CUSTOMERS})
    assert {row.version for row in await everything(tables.Customer)} == {2}
    assert sorted(line.row for line in await log()) == list(range(CUSTOMERS))
    assert len(seen) > 1, "it was killed before or after the work only"
