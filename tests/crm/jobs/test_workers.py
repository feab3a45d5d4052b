"""Workers side by side: jobs take turns, leases go by one clock, who stops gives back what he holds."""

import asyncio
import contextlib

import pytest

from crm.bulk import requests
from crm.jobs import cancel_retry, clock, handlers, worker
from db.queries import jobs
from db.tables.enums import JobStatus, Role
from db.values import ids
from db.values.wire_format import id_encoder
from tests.support import factories

HOUR = 3_600_000


@pytest.fixture
def begun(does, save, viewer):
    """A job on so many customers whose names begin so."""

    async def made(name, count, options=None):
        await save(*(factories.customer(f"{name} {number}") for number in range(count)))
        target = {"match": {"filter": {"name": {"startsWith": name}}, "archived": "EXCLUDE"}}
        return await does(requests.update_customers, {"source": "Fair"}, target, options)

    return made


@pytest.fixture(autouse=True)
async def administrator(save, viewer):
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))


@pytest.fixture
def found(session):
    async def one(job):
        return (await jobs.any_by_ids(session, [job.id]))[job.id]

    return one


@contextlib.asynccontextmanager
async def working(database, lanes):
    """So many lanes, until the block ends."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(lanes):
            group.create_task(worker._run_slot(database, f"lane {number}", stop))
        try:
            yield stop
        finally:
            stop.set()


async def claimed(database, job, worker):
    now = ids.current_time()
    assert await database.write(
        job.workspace_id, lambda transaction: jobs.claim_job(transaction, job.id, worker, now=now, until=now + 60_000)
    )


async def until(condition):
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_a_small_job_does_not_wait_for_large_ones(database, begun, found, monkeypatch):
    monkeypatch.setattr(worker, "TIME_SLICE_SECONDS", 0.0)
    monkeypatch.setattr(worker, "FIRST_CHUNK_ROWS", {database.dialect.name: 20})
    monkeypatch.setattr(handlers, "MAX_CHUNK_ROWS", 20)
    large = [await begun(name, 600) for name in ("a", "b")]
    small = await begun("c", 201)

    async def ended():
        return (await found(small)).finished_at is not None

    async with working(database, 1):
        await until(ended)
        assert [(await found(job)).finished_at for job in large] == [None, None]
    assert (await found(small)).counts == {"UPDATED": 201}


async def test_several_lanes_do_every_row_once(database, begun, found, log):
    all_ = [await begun(name, 300) for name in "abc"]

    async def ended():
        return all([(await found(job)).finished_at for job in all_])

    async with working(database, 4):
        await until(ended)
    for job in all_:
        assert (await found(job)).counts == {"UPDATED": 300}
        assert sorted(line.row for line in await log() if line.job_id == job.id) == list(range(300))


@pytest.mark.parametrize("options", [None, {"on_error": 1}], ids=["chunk by chunk", "all or nothing"])
async def test_who_is_told_to_stop_gives_the_job_back(database, begun, found, log, options, monkeypatch):
    """After a chunk, which is kept; what is all or nothing is not done at all."""
    monkeypatch.setattr(handlers, "MAX_CHUNK_ROWS", 100)
    monkeypatch.setattr(worker, "FIRST_CHUNK_ROWS", {database.dialect.name: 100})
    job = await begun("a", 450, options)
    stop, advance = asyncio.Event(), worker.progress.run_chunk

    async def stopped(*arguments):
        await advance(*arguments)
        stop.set()

    with monkeypatch.context() as patch:
        patch.setattr(worker.progress, "run_chunk", stopped)
        await claimed(database, job, "stopping")
        await worker._run_job(database, job.workspace_id, job.id, "stopping", stop, None)
    left = await found(job)
    done = 0 if options else 100
    assert (left.processed, len(await log()), left.leased_by, left.leased_until) == (done, done, None, None)
    while await worker.run_next_job(database, "next", asyncio.Event()):
        pass
    assert ((await found(job)).status, (await found(job)).counts) == (JobStatus.DONE, {"UPDATED": 450})
    assert len(await log()) == 450


async def test_a_worker_whose_clock_is_fast_takes_nobodys_job(database, begun, found, monkeypatch):
    job = await begun("a", 201)
    await claimed(database, job, "living")
    right = ids.current_time
    monkeypatch.setattr(ids, "current_time", lambda: right() + HOUR)
    assert abs(await clock.measure_skew(database) - HOUR) < 60_000
    while await worker.run_next_job(database, "fast", asyncio.Event()):
        pass
    assert (await found(job)).leased_by == "living"


async def test_who_cancels_in_the_middle_of_a_chunk_waits_for_nothing_else(
    database, begun, found, does, log, monkeypatch
):
    job = await begun("a", 450)
    await claimed(database, job, "worker")
    chunk, lost = worker._run_chunk, []

    async def cancelled(*arguments):
        if lost:
            return await chunk(*arguments)
        lost.append(await does(cancel_retry.cancel_job, id_encoder("Job")(job.id)))
        raise worker.LeaseLost

    monkeypatch.setattr(worker, "_run_chunk", cancelled)
    await worker._run_job(database, job.workspace_id, job.id, "worker", asyncio.Event(), None)
    assert lost[0].status == JobStatus.CANCELLING
    assert ((await found(job)).status, await log()) == (JobStatus.CANCELLED, [])
