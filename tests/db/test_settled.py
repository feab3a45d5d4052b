"""Rows that seldom change are kept for a moment, and never from before a write of this process."""

from typing import Any

import pytest
from sqlalchemy import update

from db import engine, tables
from db.queries import workspaces
from db.queries.matching import filter_contexts
from db.short_cache import ShortCache
from db.statements import in_workspace, prepare
from db.tables.enums import EntityType
from db.visibility import Visibility
from tests.support import factories

RENAMED = prepare(update(tables.Workspace).where(in_workspace(tables.Workspace)).values(timezone="Asia/Ho_Chi_Minh"))


async def test_they_are_asked_for_once(session, sent):
    for _ in range(3):
        assert (await workspaces.time_zone(session)).key == "UTC"
    assert len(sent) == 1


async def test_a_write_ends_that_at_once(database, session, workspace_id):
    await workspaces.time_zone(session)

    async def moved(transaction: engine.Transaction) -> str:
        await transaction.execute(RENAMED)
        return (await workspaces.time_zone(transaction)).key

    assert await database.write(workspace_id, moved) == "Asia/Ho_Chi_Minh"
    assert (await workspaces.time_zone(session)).key == "Asia/Ho_Chi_Minh"


async def test_a_field_that_another_process_made_is_found_by_the_next_question(
    database_url, workspace_id, session, sent
):
    asked = [{"customFields": [{"key": "size", "is": {"text": {"eq": "L"}}}]}]

    async def known() -> Any:
        found = await filter_contexts.load_filter_context(
            session, asked, now=0, agent_id=None, visibility=Visibility(True)
        )
        return found.fields.get(EntityType.CUSTOMER, {}).keys()

    assert not await known()
    other = await engine.connect(database_url, size=1)
    field = factories.custom_field("size")
    field.workspace_id = workspace_id
    await other.write(workspace_id, lambda transaction: transaction.insert(field))
    await other.close()
    assert await known() == {"size"}


@pytest.mark.parametrize(
    ("seconds", "known"), [pytest.param(0.9, True, id="for a moment"), pytest.param(1.0, False, id="and no longer")]
)
def test_they_are_known(monkeypatch, seconds, known):
    monkeypatch.setattr(ShortCache, "LIFETIME_SECONDS", 1.0)
    now = [5.0]
    settled = ShortCache(lambda: now[0])
    settled.put(1, "statement", ["row"], since=settled.changes)
    now[0] += seconds
    assert (settled.get(1, "statement") == ["row"]) is known


def test_what_was_read_before_a_write_is_not_kept_after_it():
    settled = ShortCache()
    since = settled.changes
    settled.invalidate(2)
    settled.put(1, "statement", ["row"], since=since)
    assert settled.get(1, "statement") is None


def test_a_write_elsewhere_ends_nothing():
    settled = ShortCache()
    settled.put(1, "statement", ["row"], since=0)
    settled.invalidate(2)
    assert settled.get(1, "statement") == ["row"]
