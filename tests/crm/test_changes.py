"""The log: a line for each record of a transaction, numbered in the order of commits."""

import asyncio

import pytest
from sqlmodel import select

from crm import change_log
from crm.access import accounts
from crm.change_log import Author, ChangeEntry
from crm.workspace import workspaces
from db import tables
from db.statements import in_workspace, prepare
from db.tables.enums import ActorKind, ChangeAction
from db.values import ids

_LOG = prepare(select(tables.Change).where(in_workspace(tables.Change)).order_by(tables.Change.seq))
NOW = ids.current_time()


@pytest.fixture
async def workspace_id(database):
    made = await workspaces.create_workspace(
        database, name="Acme", email=f"{ids.new_id().hex()}@acme.example", password="correct horse battery"
    )
    return (await accounts.viewer_of_token(database, made.token)).workspace_id


def _entry(**given):
    named = {"action": ChangeAction.UPDATED, "entity": "Customer", "node_id": ids.new_id(), "version": 2, "fields": []}
    return ChangeEntry(**{**named, **given})


async def test_a_line_says_what_was_done_by_whom_and_where(database, workspace_id):
    agent, job = ids.new_id(), ids.new_id()
    entry = _entry(
        fields=change_log.created_fields(name="Anna", nickname=None, tags=[]), row=3, audience={"owner": "x"}
    )
    by = Author(ActorKind.AGENT, agent, job_id=job, request_id="r-1")
    await database.write(
        workspace_id, lambda transaction: change_log.write_changes(transaction, [entry], by=by, at=NOW)
    )
    line = (await database.session(workspace_id).fetch_all(_LOG))[-1]
    assert (line.entity, line.action, line.node_id, line.version) == ("Customer", 1, entry.node_id, 2)
    assert (line.actor_kind, line.actor_id, line.job_id, line.request_id) == (0, agent, job, "r-1")
    assert (line.at, line.row, line.audience) == (NOW, 3, {"owner": "x"})
    assert line.fields == [{"field": "name", "before": None, "after": "Anna"}]


async def test_numbers_have_no_gap_however_many_write_and_fail_at_once(database, workspace_id):
    async def writes(transaction, count):
        await change_log.write_changes(transaction, [_entry() for _ in range(count)], by=change_log.SYSTEM, at=NOW)
        if count == 3:
            raise LookupError("undone")

    await asyncio.gather(
        *(database.write(workspace_id, lambda transaction, n=n: writes(transaction, n % 4)) for n in range(40)),
        return_exceptions=True,
    )
    seqs = [line.seq for line in await database.session(workspace_id).fetch_all(_LOG)]
    assert seqs == list(range(1, 6 + 10 * (1 + 2) + 1))


async def test_many_at_once_are_numbered_too(database, workspace_id):
    entries = [_entry(row=row) for row in range(250)]
    await database.write(
        workspace_id, lambda transaction: change_log.write_changes(transaction, entries, by=change_log.SYSTEM, at=NOW)
    )
    lines = (await database.session(workspace_id).fetch_all(_LOG))[6:]
    assert [(line.seq, line.node_id) for line in lines] == [(7 + e.row, e.node_id) for e in entries]


async def test_a_record_changes_once_in_a_transaction(database, workspace_id):
    entry = _entry()
    with pytest.raises(ValueError, match="one log entry per transaction"):
        await database.write(
            workspace_id,
            lambda transaction: change_log.write_changes(transaction, [entry, entry], by=change_log.SYSTEM, at=NOW),
        )
