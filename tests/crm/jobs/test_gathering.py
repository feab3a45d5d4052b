"""Large targets: gathered by the worker, all as they are at one moment, counted exactly, in portions that can end."""

import asyncio

import pytest

from crm.bulk import requests
from crm.errors import InputError
from crm.jobs import cancel_retry, target_snapshot, targets
from crm.jobs import undo as undoing
from crm.jobs import worker as running
from db import tables
from db.queries import jobs
from db.tables.enums import JobStatus, Role, SegmentKind
from db.values import ids
from db.values.wire_format import id_encoder
from tests.crm.conftest import named
from tests.support import factories

MANY = 230


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """From 201 customers on a target is large, and kept 50 at a time."""
    for room in (targets, undoing, cancel_retry):
        monkeypatch.setattr(room, "MAX_INLINE_TARGET_ROWS", targets.MAX_INLINE_CUSTOMERS)
    monkeypatch.setattr(target_snapshot, "ROWS_PER_BATCH", 50)


@pytest.fixture
async def people(save, viewer):
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    found = [factories.customer(f"c{number:03}") for number in range(MANY)]
    await save(*found)
    return found


@pytest.fixture
def found(session):
    async def one(job):
        return (await jobs.any_by_ids(session, [job.id]))[job.id]

    return one


def everyone(**more):
    return {"match": {"everyone": True, "archived": "EXCLUDE", **more}}


async def claimed(database, job, worker="living"):
    now = ids.current_time()
    return await database.write(
        job.workspace_id, lambda transaction: jobs.claim_job(transaction, job.id, worker, now=now, until=now + 60_000)
    )


async def chunk(database, job, worker="living"):
    return await running._run_chunk(database, job.workspace_id, job.id, worker, 50)


async def finish(database):
    while await running.run_next_job(database, "living", asyncio.Event()):
        pass


async def test_it_does_what_a_small_one_does(people, database, does, found, log, everything):
    job = await does(requests.update_customers, {"source": "Fair"}, everyone(expected_count=MANY), None)
    assert (job.matched, await everything(tables.JobTarget)) == (MANY, [])
    await finish(database)
    done = await found(job)
    assert (done.status, done.matched, done.counts) == (JobStatus.DONE, MANY, {"UPDATED": MANY})
    assert [line.row for line in await log()] == list(range(MANY))


async def test_another_number_than_expected_is_refused_at_once(people, does):
    with pytest.raises(InputError) as refused:
        await does(requests.update_customers, {"source": "Fair"}, everyone(expected_count=MANY - 1), None)
    assert refused.value.code.name == "COUNT_MISMATCH"


async def test_another_number_by_the_time_it_begins_ends_it_with_nothing_done(people, database, does, found, save, log):
    job = await does(requests.update_customers, {"source": "Fair"}, everyone(expected_count=MANY), None)
    await save(factories.customer("one more"))
    await finish(database)
    done = await found(job)
    assert (done.status, await log()) == (JobStatus.FAILED, [])
    assert "You expected 230 customers, but the filter now finds 231" in done.error


async def test_whoever_comes_while_it_runs_is_not_in_it(people, database, does, found, save):
    job = await does(requests.update_customers, {"source": "Fair"}, everyone(), None)
    assert await claimed(database, job)
    assert await chunk(database, job)
    await save(factories.customer("late"))
    await database.write(
        job.workspace_id, lambda transaction: jobs.release_job(transaction, job.id, "living", until=None)
    )
    await finish(database)
    assert (await found(job)).counts == {"UPDATED": MANY}


async def test_what_a_dead_worker_had_gathered_is_gathered_anew(people, database, does, found, everything, monkeypatch):
    job = await does(requests.update_customers, {"source": "Fair"}, everyone(), None)
    assert await claimed(database, job, "dead")
    keeping = target_snapshot._LeasedJob.store

    async def dies(held, changed, also=None):
        await keeping(held, changed, also)
        if len(await everything(tables.JobTarget)) > 100:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(target_snapshot._LeasedJob, "store", dies)
        with pytest.raises(KeyboardInterrupt):
            await chunk(database, job, "dead")
    assert len(await everything(tables.JobTarget)) == 150
    await database.write(job.workspace_id, lambda transaction: jobs.release_job(transaction, job.id, "dead", until=1))
    await finish(database)
    assert (await found(job)).counts == {"UPDATED": MANY}
    assert [one.row for one in await everything(tables.JobTarget)] == list(range(MANY))


async def test_it_can_be_cancelled_between_two_portions(people, database, does, found, everything, monkeypatch, log):
    job = await does(requests.update_customers, {"source": "Fair"}, everyone(), None)
    assert await claimed(database, job)
    keeping = target_snapshot._LeasedJob.store

    async def cancelled(held, changed, also=None):
        await keeping(held, changed, also)
        if len(await everything(tables.JobTarget)) == 100:
            await does(cancel_retry.cancel_job, id_encoder("Job")(job.id))

    monkeypatch.setattr(target_snapshot._LeasedJob, "store", cancelled)
    with pytest.raises(running.LeaseLost):
        await chunk(database, job)
    assert not await chunk(database, job)
    assert ((await found(job)).status, await log()) == (JobStatus.CANCELLED, [])
    assert len(await everything(tables.JobTarget)) == 100


async def test_an_undo_and_a_retry_are_gathered_too(people, database, does, found, everything):
    job = await does(requests.update_customers, {"source": "Fair"}, everyone(), None)
    await finish(database)
    undo = await does(undoing.undo_job, id_encoder("Job")(job.id), None)
    assert undo.matched == MANY
    await finish(database)
    assert (await found(undo)).counts == {"UPDATED": MANY}
    assert {row.source for row in await everything(tables.Customer)} == {None}


async def test_failed_rows_are_tried_again_under_their_numbers(people, database, does, found, save, everything):
    odd = await does(requests.update_customers, {"stage": 3}, everyone(), None)
    await finish(database)
    assert (await found(odd)).counts == {"FAILED": MANY}
    again = await does(cancel_retry.retry_job, id_encoder("Job")(odd.id))
    await finish(database)
    assert (await found(again)).counts == {"FAILED": MANY}
    rows = [row.row for row in await everything(tables.JobRow) if row.job_id == again.id]
    assert rows == list(range(MANY))


async def test_coming_in_and_going_out_of_a_segment(people, database, does, found, save, everything):
    segment = factories.segment(kind=SegmentKind.STATIC, filter=None)
    await save(segment)
    coming = {"ids": [named(people[0])["id"]]}
    job = await does(requests.change_segment_members, id_encoder("Segment")(segment.id), everyone(), coming, None)
    await finish(database)
    done = await found(job)
    assert (done.status, done.matched) == (JobStatus.DONE, MANY + 1)
    assert len(await everything(tables.SegmentMember)) == MANY - 1
