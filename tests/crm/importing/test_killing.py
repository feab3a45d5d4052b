"""A worker that is killed while it brings a file in or writes one: no row is lost or doubled, and the files are whole.

CLIENTELA_TEST_KILLS says how often each is killed.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crm.exporting import jobs as exporting
from crm.exporting import prefetch
from crm.files import storage, uploads
from crm.files import tables as files
from crm.importing import jobs as importing
from crm.jobs import worker
from db import tables
from db.queries import files as made
from db.queries import jobs
from db.tables.enums import FileFormat, JobStatus, Outcome, Role
from db.values import ids
from tests.support import factories

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("CLIENTELA_TEST_KILLS", "6"))
ROWS = 600 + 400 * KILLS
SECRET = b"a secret that nobody guesses"

WORKER = """
import asyncio, sys
from pathlib import Path
from crm.exporting import prefetch
from crm.files import storage
from crm.jobs import handlers, worker
from db import engine
worker.LEASE_MS, worker.POLL_SECONDS, handlers.MAX_CHUNK_ROWS, prefetch.PAGES_PER_READ = 300, 0.02, 10, 1
worker.FIRST_CHUNK_ROWS = dict.fromkeys(worker.FIRST_CHUNK_ROWS, 10)
async def work():
    database = await engine.connect(sys.argv[1])
    storage.attach_storage(database, storage.Storage(Path(sys.argv[2]), b"a secret that nobody guesses"))
    print("works", flush=True)
    await worker.run_worker(database, stop=asyncio.Event())
asyncio.run(work())
"""


@pytest.fixture(autouse=True)
async def member(database, tmp_path, save, viewer):
    storage.attach_storage(database, storage.Storage(tmp_path, SECRET))
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    return viewer


@pytest.fixture
def killed(database, database_url, session, tmp_path, monkeypatch):
    """Lets workers begin and kills them, and lets the last one end the job; the job then."""
    monkeypatch.setattr(worker, "LEASE_MS", 300)

    async def run(job: Any, seed: int) -> Any:
        dice, seen = random.Random(seed), set()
        for _ in range(KILLS):
            command = [sys.executable, "-c", WORKER, database_url, str(tmp_path)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
            await asyncio.sleep(dice.uniform(0.1, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            seen.add((await jobs.any_by_ids(session, [job.id]))[job.id].processed)
        assert KILLS < 5 or len(seen) > 1, "it was killed before or after the work only"
        return await ended(database, session, job)

    return run


async def ended(database: Any, session: Any, job: Any) -> Any:
    database.component(importing._OpenFiles).clear()
    prefetch.discard_prefetched(database, job.id)
    for _ in range(100):
        while await worker.run_next_job(database, "last", asyncio.Event()):
            pass
        done = (await jobs.any_by_ids(session, [job.id]))[job.id]
        if done.finished_at is not None:
            return done
        await asyncio.sleep(0.1)
    raise AssertionError("the job does not end")


def sent() -> bytes:
    """Every fiftieth row has no name, and every seventieth means the customer of the row before it."""
    lines = ["name,email,phone,tags"]
    for number in range(ROWS):
        name = "" if number % 50 == 49 else f"Khách {number}"
        email = f"{number - 1 if number % 70 == 69 else number}@x.example"
        lines.append(f"{name},{email},+849{number:08},t{number % 3}; t{number % 5}")
    return "\r\n".join(lines).encode()


async def begun(database: Any, viewer: Any, session: Any, does: Any) -> Any:
    identifier, content = ids.new_id(), sent()
    relative, path = storage.storage_of(database).new_path("uploads", identifier)
    path.write_bytes(content)
    upload = await uploads.store_upload(database, viewer, identifier, name="x", size=len(content), path=relative)
    given = {"upload": upload, "match_on": 0, "on_duplicate": 0, "stage": 1}
    return await does(importing.start_import, given, await importing.read_request(session, viewer, given), None)


async def test_an_import(database, viewer, session, does, killed, everything):
    job = await killed(await begun(database, viewer, session, does), 11)
    twice = {number for number in range(ROWS) if number % 70 == 69}
    failed = {number for number in range(ROWS) if number % 50 == 49} - twice
    made_ = ROWS - len(failed) - len(twice)
    counts = {"CREATED": made_, "FAILED": len(failed), "SKIPPED": len(twice)}
    assert (job.status, job.processed, job.counts) == (JobStatus.DONE_WITH_ERRORS, ROWS, counts)
    assert len(await everything(tables.Customer)) == made_
    assert len(await everything(tables.CustomerPhone)) == made_
    told = [line.row for line in await everything(tables.Change) if line.entity == "Customer"]
    apart = {row.row: row.outcome for row in await everything(tables.JobRow)}
    assert len(told) == len(set(told)) == made_
    assert set(told) | apart.keys() == set(range(ROWS))
    assert {row for row, outcome in apart.items() if outcome == Outcome.FAILED} == failed
    table = files.open_table(await _file(session, job))
    assert [row[2] for row in table.rows()] == [f"+849{number:08}" for number in sorted(failed)]


async def _file(session: Any, job: Any) -> Path:
    [file] = (await made.by_job(session, [job.id]))[job.id]
    path = storage.storage_of(session.database).path(file.path)
    assert path.stat().st_size == file.bytes
    return path


@pytest.mark.parametrize("format", FileFormat, ids=[one.name for one in FileFormat])
async def test_an_export(database, viewer, session, does, killed, format):
    await ended(database, session, await begun(database, viewer, session, does))
    everyone = {"match": {"everyone": True, "archived": "EXCLUDE"}}
    whole = await ended(database, session, await does(exporting.start_export, everyone, format, None, {}))
    job = await killed(await does(exporting.start_export, everyone, format, None, {}), 12 + format)
    assert (job.status, job.counts, job.processed) == (JobStatus.DONE, whole.counts, job.matched)
    one, other = await _file(session, whole), await _file(session, job)
    if format is FileFormat.XLSX:
        assert list(files.open_table(one).rows()) == list(files.open_table(other).rows())
    else:
        assert one.read_bytes() == other.read_bytes()
    assert not list(other.parent.glob("*.*")), "what it worked with was left behind"
