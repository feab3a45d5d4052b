"""What has run out is swept out, and nothing else."""

import pytest

from crm import idempotency, retention
from crm.files import storage
from crm.files.storage import Storage
from crm.jobs import maintenance
from db import tables
from db.queries import accounts
from db.queries import idempotency as calls
from db.tables.enums import ActorKind, FileFormat, JobKind
from db.values import ids
from tests.support import factories

NOW = ids.current_time()
DAY = 24 * 60 * 60 * 1000


@pytest.fixture
def kept(database, tmp_path):
    storage.attach_storage(database, Storage(tmp_path, b"secret"))
    return storage.storage_of(database)


@pytest.fixture
def laid(kept):
    """A file that is there, by what its row says."""

    def one(kind):
        relative, path = kept.new_path(kind, ids.new_id())
        path.write_text("x")
        return relative, path

    return one


def upload(path, age):
    own = {"workspace_id": 0, "actor_kind": int(ActorKind.AGENT), "actor_id": ids.new_id(), "bytes": 1}
    return tables.Upload(**own, id=ids.id_at(NOW - age, ids.new_id()[6:]), created_at=NOW - age, path=path)


async def test_uploads_go_after_a_week_unless_they_are_being_imported(database, save, laid, kept, everything):
    (new, new_path), (old, old_path), (busy, busy_path) = laid("uploads"), laid("uploads"), laid("uploads")
    await save(upload(new, 6 * DAY), upload(old, 8 * DAY), upload(busy, 8 * DAY))
    given = {"verb": int(JobKind.IMPORT), "given": {"path": busy}}
    await save(factories.job(kind=JobKind.IMPORT, arguments=given, finished_at=None))
    await retention.delete_expired(database, now=NOW)
    assert {row.path for row in await everything(tables.Upload)} == {new, busy}
    assert (new_path.exists(), old_path.exists(), busy_path.exists()) == (True, False, True)


async def test_files_go_when_their_links_have_ended(database, save, laid, kept, everything):
    (old, old_path), (new, new_path) = laid("made"), laid("made")
    await save(job := factories.job())
    own = {"workspace_id": 0, "job_id": job.id, "name": "x", "format": int(FileFormat.CSV), "bytes": 1}
    files = [tables.JobFile(**own, path=path, expires_at=NOW + more) for path, more in ((old, -1), (new, 1))]
    await save(*files)
    old_path.unlink()
    await retention.delete_expired(database, now=NOW)
    assert [row.path for row in await everything(tables.JobFile)] == [new]
    assert new_path.exists()


async def test_what_jobs_were_about_goes_a_day_after_their_end_and_their_rows_after_thirty(
    database, save, kept, everything, monkeypatch
):
    monkeypatch.setattr(retention, "_ROWS_PER_BATCH", 3)
    jobs = {age: factories.job(finished_at=NOW - age) for age in (DAY // 2, 2 * DAY, 31 * DAY)}
    jobs[None] = factories.job(finished_at=None)
    await save(*jobs.values())
    for job in jobs.values():
        own = {"workspace_id": 0, "job_id": job.id}
        await save(*(tables.JobTarget(**own, row=row, node_id=ids.new_id()) for row in range(8)))
        await save(*(tables.JobRow(**own, row=row, outcome=0) for row in range(8)))
    await retention.delete_expired(database, now=NOW)
    left = {row.job_id for row in await everything(tables.JobTarget)}
    assert left == {jobs[DAY // 2].id, jobs[None].id}
    assert {row.job_id for row in await everything(tables.JobRow)} == {jobs[2 * DAY].id, *left}
    assert len(await everything(tables.Job)) == 4


async def test_keys_of_callers_and_sessions_go(database, save, kept, everything, viewer):
    async def claim(transaction):
        for key, age in (("old", idempotency.ANSWER_LIFETIME_MS + 1), ("new", 1)):
            await calls.insert_claim(transaction, viewer.caller, key, "x", b"", at=NOW - age)

    await database.write(viewer.workspace_id, claim)
    own = {"workspace_id": viewer.workspace_id, "agent_id": ids.new_id(), "secret_hash": b"", "created_at": 0}
    ended, open_ = (tables.SignIn(**own, id=ids.new_id(), expires_at=NOW + more) for more in (-1, 1))
    await database.write(None, lambda transaction: transaction.insert(ended, open_))
    await retention.delete_expired(database, now=NOW)
    assert [row.key for row in await everything(tables.Idempotency)] == ["new"]
    left = [await accounts.session_by_id(database.session(None), one.id) for one in (ended, open_)]
    assert [one is None for one in left] == [True, False]


def test_the_worker_sweeps_and_reclaims_and_compares_clocks_and_merges():
    told = {chore.__name__ for _, chore in maintenance.TASKS}
    assert told == {
        "measure_skew", "merge_search_index", "merge_search_index_periodically", "reclaim_idle_customers",
        "delete_expired",
    }  # fmt: skip
