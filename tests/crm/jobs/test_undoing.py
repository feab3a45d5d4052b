"""Undoing: each record goes back once, and nothing is taken from anybody who has it by now."""

import asyncio

import pytest

from crm.bulk import requests
from crm.customers import records
from crm.jobs import undo as undoing
from crm.jobs import worker
from crm.unit_of_work import run_unit_of_work
from db import tables
from db.queries import jobs
from db.tables.enums import CustomFieldType, JobStatus, Role
from db.values import ids
from db.values.wire_format import id_encoder
from tests.crm.conftest import named
from tests.support import factories


@pytest.fixture
async def administrator(save, viewer):
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))


@pytest.fixture
def undone(does, session):
    """A job undone: what it says of itself, and of each row that it keeps apart."""

    async def one(job):
        undo = await does(undoing.undo_job, id_encoder("Job")(job.id), None)
        rows = await jobs.stored_rows(session, undo.id, -1, 100, None)
        return undo.counts, [[error["code"] for error in row.errors] for row in rows]

    return one


@pytest.fixture
def a_job(save, database, viewer):
    """A job that has ended, and which did these updates in this order."""

    async def did(*updates):
        await save(job := factories.job(actor_id=viewer.actor_id))
        for customer, given in updates:
            await run_unit_of_work(
                database, viewer, lambda unit, c=customer, g=given: records.update(unit, named(c), g),
                now=ids.current_time(),
                job_id=job.id,
            )  # fmt: skip
        return job

    return did


def external(value):
    return [{"system": "erp", "value": value}] if value else []


def row(customer, **given):
    return {"by": named(customer), "input": given}


async def test_an_external_id_that_was_taken_since_stays_and_its_row_is_named(
    administrator, does, save, undone, everything
):
    first, second, third = [(await does(records.create, {"name": name})).customer for name in ("a", "b", "c")]
    await does(records.update, named(first), {"external_ids": external("1")})
    job = await does(requests.upsert_customers, [row(first, external_ids=[]), row(second, source="Fair")], None)
    await does(records.update, named(third), {"external_ids": external("1")})
    assert await undone(job) == ({"SKIPPED": 1, "UPDATED": 1}, [["CONFLICT"]])
    held = await everything(tables.CustomerExternalId)
    assert [(one.customer_id, one.value) for one in held] == [(third.id, "1")]


async def test_a_unique_value_that_was_taken_since_stays(administrator, does, save, undone):
    await save(factories.custom_field("code", CustomFieldType.TEXT, unique=True))
    first, second = [(await does(records.create, {"name": name})).customer for name in ("a", "b")]
    await does(records.update, named(first), {"custom_fields": [{"key": "code", "value": "X"}]})
    job = await does(requests.upsert_customers, [row(first, custom_fields=[{"key": "code", "value": None}])], None)
    await does(records.update, named(second), {"custom_fields": [{"key": "code", "value": "x"}]})
    assert await undone(job) == ({"SKIPPED": 1}, [["CONFLICT"]])


async def test_what_one_gave_to_another_goes_back(administrator, a_job, does, undone, everything):
    first, second = [(await does(records.create, {"name": name})).customer for name in ("a", "b")]
    await does(records.update, named(first), {"external_ids": external("1")})
    job = await a_job((first, {"external_ids": []}), (second, {"external_ids": external("1")}))
    assert await undone(job) == ({"UPDATED": 2}, [])
    held = await everything(tables.CustomerExternalId)
    assert [(one.customer_id, one.value) for one in held] == [(first.id, "1")]


async def test_whoever_keeps_what_he_has_is_not_taken_from_either(administrator, a_job, does, undone):
    first, second, third = [(await does(records.create, {"name": name})).customer for name in ("a", "b", "c")]
    await does(records.update, named(first), {"external_ids": external("1")})
    await does(records.update, named(second), {"external_ids": external("2")})
    job = await a_job((first, {"external_ids": []}), (second, {"external_ids": external("1")}))
    await does(records.update, named(third), {"external_ids": external("2")})
    assert await undone(job) == ({"SKIPPED": 2}, [["CONFLICT"], ["CONFLICT"]])


async def test_who_was_changed_in_two_chunks_is_put_back_once(
    administrator, database, does, undone, everything, session
):
    customer = (await does(records.create, {"name": "a"})).customer
    rows = [
        row(customer, source="one"),
        *({"input": {"name": str(n)}} for n in range(220)),
        row(customer, source="two"),
    ]
    job = await does(requests.upsert_customers, rows, None)
    now = ids.current_time()
    assert await database.write(
        job.workspace_id, lambda transaction: jobs.claim_job(transaction, job.id, "worker", now=now, until=now + 60_000)
    )
    while await worker._run_chunk(database, job.workspace_id, job.id, "worker", 100):
        pass
    undo = await does(undoing.undo_job, id_encoder("Job")(job.id), None)
    while await worker.run_next_job(database, "worker", asyncio.Event()):
        pass
    done = (await jobs.any_by_ids(session, [undo.id]))[undo.id]
    assert (done.status, done.counts) == (JobStatus.DONE, {"UPDATED": 1, "DELETED": 220})
    (left,) = await everything(tables.Customer)
    assert left.source is None
