"""Jobs behind the answer: chunk by chunk, taken over, cancelled, broken off, all or nothing."""

import asyncio

import pytest

from crm.bulk import requests
from crm.jobs import cancel_retry
from crm.jobs import worker as running
from db import tables
from db.queries import jobs
from db.tables.enums import JobStatus, Outcome, Role
from db.values import ids
from db.values.wire_format import id_encoder
from tests.support import factories

EVERYONE = {"match": {"everyone": True, "archived": "EXCLUDE"}}


@pytest.fixture
def begun(does, save, viewer):
    """A job on as many customers, which waits."""

    async def made(count=230, options=None, **customer):
        await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
        await save(*(factories.customer(f"c{number}", **customer) for number in range(count)))
        return await does(requests.update_customers, {"source": "Fair"}, EVERYONE, options)

    return made


@pytest.fixture
def found(session):
    async def one(job):
        return (await jobs.any_by_ids(session, [job.id]))[job.id]

    return one


async def claim(database, job, worker, *, lease=60_000):
    now = ids.current_time()
    return await database.write(
        job.workspace_id, lambda transaction: jobs.claim_job(transaction, job.id, worker, now=now, until=now + lease)
    )


async def chunk(database, job, worker="dead", size=50):
    return await running._run_chunk(database, job.workspace_id, job.id, worker, size)


async def finish(database):
    while await running.run_next_job(database, "living", asyncio.Event()):
        pass


async def test_one_of_many_workers_gets_a_job(database, begun):
    job = await begun()
    won = await asyncio.gather(*(claim(database, job, str(number)) for number in range(8)))
    assert sorted(won) == [False] * 7 + [True]


async def test_a_dead_workers_job_goes_on_after_its_lease(database, begun, found, everything, log):
    job = await begun()
    assert await claim(database, job, "dead")
    assert await chunk(database, job)
    assert not await claim(database, job, "living")
    await database.write(job.workspace_id, lambda transaction: jobs.release_job(transaction, job.id, "dead", until=1))
    await finish(database)
    done = await found(job)
    assert (done.status, done.processed, done.counts) == (JobStatus.DONE, 230, {"UPDATED": 230})
    assert len(await log()) == 230
    assert {row.version for row in await everything(tables.Customer)} == {2}


async def test_a_worker_that_lost_its_lease_changes_nothing(database, begun, found, log):
    job = await begun()
    assert await claim(database, job, "dead")
    assert not await chunk(database, job, worker="other")
    assert (await log(), (await found(job)).processed) == ([], 0)


async def test_a_cancelled_job_stops_at_its_chunks_end(database, begun, found, does, log):
    job = await begun()
    assert await claim(database, job, "dead")
    assert await chunk(database, job)
    cancelling = await does(cancel_retry.cancel_job, id_encoder("Job")(job.id))
    assert cancelling.status == JobStatus.CANCELLING
    assert not await chunk(database, job)
    done = await found(job)
    assert (done.status, done.processed, len(await log())) == (JobStatus.CANCELLED, 50, 50)


async def test_whoever_may_not_do_it_any_more_ends_his_job(database, begun, found, save):
    job = await begun()

    async def leave(transaction):
        await transaction.execute_many(_DEACTIVATE, [{}])

    from sqlalchemy import update

    from db.statements import in_workspace, prepare

    _DEACTIVATE = prepare(update(tables.Agent).where(in_workspace(tables.Agent)).values(active=False))
    await database.write(job.workspace_id, leave)
    await finish(database)
    done = await found(job)
    assert (done.status, done.error) == (
        JobStatus.FAILED,
        "The person who started this job no longer has the permission for it.",
    )


async def test_many_rows_all_or_nothing(database, begun, found, save, session, log):
    archived = {"archived_at": None}
    job = await begun(options={"on_error": 1}, **archived)
    await save(odd := factories.customer("odd", archived_at=1))

    async def named(transaction):
        await transaction.insert(
            tables.JobTarget(workspace_id=job.workspace_id, job_id=job.id, row=230, node_id=odd.id)
        )

    await database.write(job.workspace_id, named)
    await finish(database)
    done = await found(job)
    assert (done.status, done.counts) == (JobStatus.FAILED, {"FAILED": 1, "SKIPPED": 230})
    assert await log() == []
    rows = await jobs.stored_rows(session, job.id, 228, 10, None)
    assert [row.outcome for row in rows] == [Outcome.SKIPPED, Outcome.FAILED]


async def test_a_dry_run_of_many_keeps_every_row_apart(database, begun, found, session, log, everything):
    job = await begun(options={"dry_run": True})
    await finish(database)
    done = await found(job)
    assert (done.status, done.counts, await log()) == (JobStatus.DONE, {"UPDATED": 230}, [])
    rows = await jobs.stored_rows(session, job.id, -1, 500, None)
    assert [row.row for row in rows] == list(range(230))
    assert rows[0].fields == [{"field": "source", "before": None, "after": "Fair"}]
    assert {row.version for row in await everything(tables.Customer)} == {1}


async def test_a_chunk_is_a_handful_of_statements(database, begun, sent):
    job = await begun()
    assert await claim(database, job, "dead")
    sent.clear()
    await chunk(database, job, size=200)
    assert len(sent) <= 16, sent
