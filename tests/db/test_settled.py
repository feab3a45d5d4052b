"""Rows that seldom change are kept for a moment, and never from before a write of this process."""

from typing import Any

import pytest
from sqlalchemy import update

from db import engine, tables
from db.queries import workspaces
from db.queries.matching import filter_contexts
from db.short_cache import Settled
from db.statements import here, prepared
from db.tables.enums import EntityType
from db.visibility import Sight
from tests.support import factories

RENAMED = prepared(update(tables.Workspace).where(here(tables.Workspace)).values(timezone="Asia/Ho_Chi_Minh"))


async def test_they_are_asked_for_once(reading, sent):
    for _ in range(3):
        assert (await workspaces.zone(reading)).key == "UTC"
    assert len(sent) == 1


async def test_a_write_ends_that_at_once(database, reading, workspace_id):
    await workspaces.zone(reading)

    async def moved(work: engine.Work) -> str:
        await work.execute(RENAMED)
        return (await workspaces.zone(work)).key

    assert await database.write(workspace_id, moved) == "Asia/Ho_Chi_Minh"
    assert (await workspaces.zone(reading)).key == "Asia/Ho_Chi_Minh"


async def test_a_field_that_another_process_made_is_found_by_the_next_question(
    database_url, workspace_id, reading, sent
):
    asked = [{"customFields": [{"key": "size", "is": {"text": {"eq": "L"}}}]}]

    async def known() -> Any:
        found = await filter_contexts.of(reading, asked, now=0, agent_id=None, sight=Sight(True))
        return found.fields.get(EntityType.CUSTOMER, {}).keys()

    assert not await known()
    other = await engine.connect(database_url, size=1)
    field = factories.custom_field("size")
    field.workspace_id = workspace_id
    await other.write(workspace_id, lambda work: work.insert(field))
    await other.close()
    assert await known() == {"size"}


@pytest.mark.parametrize(
    ("seconds", "known"), [pytest.param(0.9, True, id="for a moment"), pytest.param(1.0, False, id="and no longer")]
)
def test_they_are_known(monkeypatch, seconds, known):
    monkeypatch.setattr(Settled, "LASTING", 1.0)
    now = [5.0]
    settled = Settled(lambda: now[0])
    settled.keep(1, "statement", ["row"], since=settled.changes)
    now[0] += seconds
    assert (settled.at(1, "statement") == ["row"]) is known


def test_what_was_read_before_a_write_is_not_kept_after_it():
    settled = Settled()
    since = settled.changes
    settled.drop(2)
    settled.keep(1, "statement", ["row"], since=since)
    assert settled.at(1, "statement") is None


def test_a_write_elsewhere_ends_nothing():
    settled = Settled()
    settled.keep(1, "statement", ["row"], since=0)
    settled.drop(2)
    assert settled.at(1, "statement") == ["row"]
