"""A worker that is killed at any moment loses nothing and doubles nothing."""

import asyncio
import signal
from collections import Counter

import pytest

from crm.bulk import requests
from crm.jobs import undo
from db import tables
from db.tables.enums import BulkDeletePolicy, ChangeAction, JobKind, JobStatus, Role
from db.values.wire_format import id_encoder
from tests.crm.conftest import named
from tests.support import factories, killed_workers

CUSTOMERS = 3_000
EVERYONE = {"match": {"everyone": True, "archived": "EXCLUDE"}}


class Ledger:
    """What must be true once a job has ended."""

    def __init__(self, everything, log):
        self.everything = everything
        self.log = log

    async def lines(self, job):
        return [line for line in await self.log() if line.job_id == job.id]

    async def check(self, job, counts):
        """Each row was done once, by one line of the log, under its own number, and counted."""
        assert (job.status, job.processed, job.counts) == (JobStatus.DONE, CUSTOMERS, counts)
        lines = await self.lines(job)
        assert sorted(line.row for line in lines) == list(range(CUSTOMERS))
        assert len({line.node_id for line in lines}) == CUSTOMERS

    async def alike(self):
        """Versions and tags tell how often a customer was changed."""
        rows = await self.everything(tables.Customer)
        assert len(rows) == CUSTOMERS
        worn = Counter(row.customer_id for row in await self.everything(tables.CustomerTag))
        assert all(worn[row.id] == row.tag_count for row in rows)
        return {(row.version, row.tag_count, row.source) for row in rows}


@pytest.fixture
async def ledger(save, viewer, everything, log):
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    await save(*(factories.customer(f"c{number}") for number in range(CUSTOMERS)))
    return Ledger(everything, log)


@pytest.fixture
def survives(database, database_url, tmp_path):
    async def done(begin, check):
        await killed_workers.survives(database, database_url, tmp_path, begin, check)

    return done


@pytest.mark.long
async def test_changes_and_their_undo(ledger, survives, does, save):
    await save(tag := factories.tag("gold"))
    given = {"source": "Fair", "tags": {"add": [{"id": id_encoder("Tag")(tag.id)}]}}
    begun = []

    async def begin():
        """A change, its undo, the next change …"""
        if begun and begun[-1].kind == JobKind.UPDATE:
            begun.append(await does(undo.undo_job, id_encoder("Job")(begun[-1].id), None))
        else:
            begun.append(await does(requests.update_customers, given, EVERYONE, None))
        return begun[-1]

    async def check(job):
        await ledger.check(job, {"UPDATED": CUSTOMERS})
        changed = job.kind == JobKind.UPDATE
        assert await ledger.alike() == {(1 + len(begun), int(changed), "Fair" if changed else None)}

    await survives(begin, check)


@pytest.mark.long
async def test_assigning_by_turns(ledger, survives, does, save, everything):
    teams = [[factories.agent(f"{team}{place}") for place in range(3)] for team in ("a", "b")]
    await save(*(agent for team in teams for agent in team))
    begun = []

    async def begin():
        """To three agents, then to three others."""
        team = teams[len(begun) % 2]
        begun.append(
            await does(requests.assign_customers, {"agents": [named(one)["id"] for one in team]}, EVERYONE, None)
        )
        return begun[-1]

    async def check(job):
        await ledger.check(job, {"UPDATED": CUSTOMERS})
        shares = Counter(row.owner_id for row in await everything(tables.Customer))
        assert shares == {agent.id: CUSTOMERS // 3 for agent in teams[(len(begun) - 1) % 2]}
        assert sum(job.state["shares"].values()) == CUSTOMERS

    await survives(begin, check)


@pytest.mark.long
async def test_deleting(ledger, survives, does, save, everything, database, viewer):
    await database.write(viewer.workspace_id, _lets_all_go)

    async def begin():
        rest = CUSTOMERS - len(await everything(tables.Customer))
        await save(*(factories.customer(f"d{number}") for number in range(rest)))
        return await does(requests.start_job, JobKind.DELETE, {}, EVERYONE, None)

    async def check(job):
        await ledger.check(job, {"DELETED": CUSTOMERS})
        assert {line.action for line in await ledger.lines(job)} == {ChangeAction.DELETED}
        assert await everything(tables.Customer) == []

    await survives(begin, check)


async def _lets_all_go(transaction):
    from sqlalchemy import update

    from db.statements import in_workspace, prepare

    statement = (
        update(tables.Workspace).where(in_workspace(tables.Workspace)).values(bulk_delete=int(BulkDeletePolicy.ANY))
    )
    await transaction.execute(prepare(statement))


@pytest.mark.long
async def test_progress_saved_apart_from_the_effect_would_be_found_out(ledger, does, database, database_url, tmp_path):
    """The mark of the tests above: what they look for is there to be found."""
    job = await does(requests.update_customers, {"source": "Fair"}, EVERYONE, None)
    process = await asyncio.to_thread(killed_workers.started, database_url, tmp_path, patch=killed_workers.APART)
    assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL
    done = await killed_workers.ended(database, job)
    with pytest.raises(AssertionError):
        await ledger.check(done, {"UPDATED": CUSTOMERS})
    assert done.counts["UNCHANGED"] > 0
