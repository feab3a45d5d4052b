"""Many at once: a dry run tells what the real run does and writes nothing; undo brings back what was."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from db import tables
from db.statements import in_workspace, prepare
from tests.support import generated_calls, generated_workspaces
from tests.support.populated_workspace import MEMBERS, columns, dump

# Each example makes a workspace of its own.
DEAR = settings(max_examples=settings.default.max_examples // 6)

_JOBS = (tables.Job, tables.JobRow, tables.JobTarget)
# What a job leaves behind that nobody is shown: the log, whose turn it is, how often somebody claimed today; tags that
# were made stay in the catalogue.
_LEFT = (*_JOBS, tables.Change, tables.Counter, tables.Claim, tables.AssignmentRule, tables.Tag)
# What the log does not tell of a customer: since when somebody owns him, and who put the block on him.
_UNTOLD = {
    tables.Customer: ("version", "updated_at", "owned_since", "released_at"),
    tables.CustomerBlock: ("actor_kind", "actor_id", "at"),
}

# Who was made is not there after a dry run, and who was deleted is.
_FLEETING = ("CREATED", "DELETED")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def _alike(job, known):
    """The rows of a job without what differs by itself: ids of what was made, moments."""

    def masked(value):
        if isinstance(value, dict):
            return {key: masked(one) for key, one in value.items()}
        if isinstance(value, list):
            return [masked(one) for one in value]
        if isinstance(value, str) and re.fullmatch(r"[a-z]{3}_[0-9a-f]{32}", value) and value not in known:
            return "new"
        return _MOMENT.sub("now", value) if isinstance(value, str) else value

    rows = [
        masked({**row, "node": None if row["outcome"] in ("CREATED", "DELETED") else row["node"]})
        for row in job["rows"]["nodes"]
    ]
    return job["status"], masked(job["counts"]), masked(job["perAgent"]), rows


async def _told_alike(database, crowd, who, call, on_error):
    world = await generated_workspaces.populated(database, crowd)
    document, variables = call
    document = document.replace("@list", world.names["@list"])
    viewer, known = generated_workspaces.viewer(world, who), set(world.names.values())
    before = await dump(database, world.number, without=_JOBS)
    dry = await world.ask(document, viewer, **variables, options={"dryRun": True, "onError": on_error})
    assert _difference(before, await dump(database, world.number, without=_JOBS)) == {}
    real = await world.ask(document, viewer, **variables, options={"onError": on_error})
    if isinstance(real, str) or real["job"] is None:
        assert dry == real
        return
    for told, done in zip(dry["job"]["rows"]["nodes"], real["job"]["rows"]["nodes"], strict=True):
        if done["node"] is None:
            # The viewer does not see any more whom the real run gave to others.
            told["node"] = None
    assert _alike(dry["job"], known) == _alike(real["job"], known)
    if real["job"]["status"] == "FAILED":
        assert _difference(before, await dump(database, world.number, without=_JOBS)) == {}


async def _comes_back(database, crowd, call):
    world = await generated_workspaces.populated(database, crowd)
    document, variables = call
    document = document.replace("@list", world.names["@list"])
    before = await _shown(database, world.number)
    done = await world.ask(document, **variables)
    if done["job"] is None:
        return
    undone = await world.ask(generated_calls.UNDO, id=done["job"]["id"])
    assert undone["job"], undone
    assert {row["outcome"] for row in undone["job"]["rows"]["nodes"]} <= {"UPDATED", "UNCHANGED", "DELETED"}, undone
    after = await _shown(database, world.number)
    assert _difference(before, after) == {}


def _difference(before, after):
    """Of the tables that are not as they were: the rows that are gone, and those that have come."""
    return {
        name: (sorted(set(before[name]) - set(after[name])), sorted(set(after[name]) - set(before[name])))
        for name in before
        if before[name] != after[name]
    }


async def _shown(database, number):
    """Everything but what a job leaves behind."""
    session, found = database.session(number), {}
    for table in MEMBERS:
        if table in _LEFT:
            continue
        kept = [name for name in columns(table) if name not in _UNTOLD.get(table, ())]
        rows = await session.fetch_all(prepare(select(table).where(in_workspace(table))))
        found[table.__tablename__] = sorted(repr([(name, getattr(row, name)) for name in kept]) for row in rows)
    return found


@pytest.mark.parametrize("verb", generated_calls.VERBS)
@DEAR
@given(data=st.data())
async def test_a_dry_run_tells_what_the_real_run_does_and_writes_nothing(database, verb, data):
    await _told_alike(database, *_drawn(data, verb))


def _drawn(data, verb):
    return (
        data.draw(one)
        for one in (
            generated_workspaces.crowds,
            generated_workspaces.viewers(),
            generated_calls.VERBS[verb],
            generated_calls.ABORTING,
        )
    )


_UNDOABLE = [verb for verb in generated_calls.VERBS if verb != "delete"]


@pytest.mark.parametrize("verb", _UNDOABLE)
@DEAR
@given(data=st.data())
async def test_undo_brings_back_what_was(database, verb, data):
    await _comes_back(database, data.draw(generated_workspaces.crowds), data.draw(generated_calls.VERBS[verb]))
