"""Files of many rows: brought in and written out by a worker, chunk by chunk, also where one is killed in between."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm.exporting import jobs as exporting
from crm.exporting import prefetch
from crm.files import storage, uploads
from crm.files import tables as files
from crm.importing import jobs as importing
from crm.jobs import cancel_retry
from crm.jobs import worker as running
from db import tables
from db.engine import Database
from db.queries import files as made
from db.queries import jobs
from db.tables.enums import FileFormat, JobStatus, Role
from db.values import ids, wire_format
from tests.support import factories

ROWS = 900
EVERYONE: dict[str, Any] = {"match": {"everyone": True, "archived": "EXCLUDE"}}


@pytest.fixture(autouse=True)
def kept(database: Database, tmp_path: Path) -> storage.Storage:
    storage.attach_storage(database, storage.Storage(tmp_path, b"a secret that nobody guesses"))
    return storage.storage_of(database)


@pytest.fixture
async def member(save, viewer):
    """The viewer as an agent of the workspace, for a worker asks again what he may do."""
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    return viewer


@pytest.fixture
def begun(does, database, member, kept, session) -> Callable[..., Any]:
    async def begin(content: bytes, **given: Any) -> Any:
        identifier = ids.new_id()
        relative, path = kept.new_path("uploads", identifier)
        path.write_bytes(content)
        upload = await uploads.store_upload(database, member, identifier, name="x", size=len(content), path=relative)
        whole = {"upload": upload, "match_on": 0, "on_duplicate": 1, "stage": 1, **given}
        looked = await importing.read_request(session, member, whole)
        return await does(importing.start_import, whole, looked, None)

    return begin


@pytest.fixture
async def crowd(save, member) -> None:
    """As many customers as the import makes."""
    await save(*(factories.customer(f"Khách {number}", email=f"{number}@x.example") for number in range(ROWS - 9)))


async def worked(database: Database, job: Any, *, chunks: int | None = None) -> Any:
    """Works on the job to its end, or on some chunks of it only, as a worker does that is killed then."""
    worker = ids.new_id().hex()
    now = ids.current_time()
    await database.write(
        job.workspace_id,
        lambda transaction: jobs.claim_job(transaction, job.id, worker, now=now + 10**8, until=now + 30_000),
    )
    count = 0
    while await running._run_chunk(database, job.workspace_id, job.id, worker, 200):
        count += 1
        if count == chunks:
            break
    return (await jobs.any_by_ids(database.session(job.workspace_id), [job.id]))[job.id]


def csv() -> bytes:
    lines = ["name,email,tags"]
    for number in range(ROWS):
        name = "" if number % 100 == 99 else f"Khách {number}"
        lines.append(f"{name},{number}@x.example,t{number % 3}")
    return "\r\n".join(lines).encode()


async def test_an_import_goes_on_where_it_was_killed(begun, database, everything, kept, session):
    job = await begun(csv())
    assert (job.status, job.matched) == (JobStatus.QUEUED, ROWS)
    after = await worked(database, job, chunks=2)
    assert after.processed == 400
    database.component(importing._OpenFiles).clear()
    after = await worked(database, job)
    assert (after.status, after.counts) == (JobStatus.DONE_WITH_ERRORS, {"CREATED": ROWS - 9, "FAILED": 9})
    assert len(await everything(tables.Customer)) == ROWS - 9
    [file] = (await made.by_job(session, [job.id]))[job.id]
    failed = files.open_table(kept.path(file.path))
    assert [row[1] for row in failed.rows()] == [f"{number}@x.example" for number in range(99, ROWS, 100)]
    lines = [line for line in await everything(tables.Change) if line.job_id == job.id and line.entity == "Customer"]
    assert len({line.row for line in lines}) == len(lines) == ROWS - 9


@pytest.mark.parametrize("format", FileFormat, ids=[one.name for one in FileFormat])
async def test_an_export_goes_on_where_it_was_killed(crowd, does, database, kept, session, format, monkeypatch):
    monkeypatch.setattr(prefetch, "PAGES_PER_READ", 1)
    job = await does(exporting.start_export, EVERYONE, format, [{"field": "name"}, {"field": "email"}], {})
    assert job.status == JobStatus.QUEUED
    after = await worked(database, job, chunks=2)
    assert after.processed == 400
    prefetch.discard_prefetched(database, job.id)
    half = kept.path(f"made/{job.arguments['given']['file']}")
    with half.open("ab") as file:
        file.write(b"half a chunk that was never committed")
    after = await worked(database, job)
    assert (after.status, after.counts) == (JobStatus.DONE, {"UNCHANGED": ROWS - 9})
    [file] = (await made.by_job(session, [job.id]))[job.id]
    rows = list(files.open_table(kept.path(file.path)).rows())
    assert len({row[1] for row in rows}) == len(rows) == ROWS - 9
    assert not list(kept.path("made").glob("*.*")), "what it worked with was left behind"


async def test_a_cancelled_import_gives_back_the_rows_that_failed_until_then(begun, database, does, kept, session):
    job = await begun(csv())
    await worked(database, job, chunks=2)
    cancelled = await does(cancel_retry.cancel_job, wire_format.id_encoder("Job")(job.id))
    assert cancelled.status == JobStatus.CANCELLING
    after = await worked(database, job)
    assert (after.status, after.processed, after.counts) == (JobStatus.CANCELLED, 400, {"CREATED": 396, "FAILED": 4})
    [file] = (await made.by_job(session, [job.id]))[job.id]
    rows = list(files.open_table(kept.path(file.path)).rows())
    assert [row[1] for row in rows] == [f"{number}@x.example" for number in (99, 199, 299, 399)]


async def test_a_cancelled_export_has_no_file(crowd, does, database, session, monkeypatch):
    monkeypatch.setattr(prefetch, "PAGES_PER_READ", 1)
    job = await does(exporting.start_export, EVERYONE, FileFormat.CSV, None, {})
    await worked(database, job, chunks=2)
    await does(cancel_retry.cancel_job, wire_format.id_encoder("Job")(job.id))
    after = await worked(database, job)
    assert after.status == JobStatus.CANCELLED
    assert await made.by_job(session, [job.id]) == {}


async def test_a_file_that_is_gone_ends_the_job(begun, database, kept):
    job = await begun(csv())
    database.component(importing._OpenFiles).clear()
    kept.path(job.arguments["given"]["file"]).unlink()
    after = await worked(database, job)
    assert after.status == JobStatus.FAILED
    assert "no longer exists" in after.error


async def test_a_worker_does_it_all(begun, database):
    job = await begun(csv())
    stop = asyncio.Event()
    while await running.run_next_job(database, ids.new_id().hex(), stop):
        pass
    after = (await jobs.any_by_ids(database.session(job.workspace_id), [job.id]))[job.id]
    assert after.status == JobStatus.DONE_WITH_ERRORS
