"""Databases of older versions: what is in them goes on with the newest."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.migrations import runner, state
from tests.support.databases import KINDS


@pytest.mark.parametrize("kind", KINDS)
async def test_tags_are_told_apart_by_their_accents_from_now_on(databases, kind):
    """MS3."""
    url = await databases.empty(kind)
    await runner.upgrade(url, "0002")
    engine = create_async_engine(runner.driver_url(url))
    tag = "INSERT INTO tag (workspace_id, id, created_at, name, name_key, kind) VALUES (1, :id, 0, :name, :key, 0)"
    async with engine.begin() as connection:
        for place, (name, key) in enumerate([("Bán  Lẻ", "ban le"), ("VIP", "vip")]):
            await connection.execute(text(tag), {"id": bytes([place]) * 16, "name": name, "key": key})
    await engine.dispose()
    await runner.upgrade(url)
    async with engine.begin() as connection:
        kept = (await connection.execute(text("SELECT unique_key FROM tag ORDER BY id"))).scalars().all()
    await engine.dispose()
    assert list(kept) == ["bán lẻ", "vip"]
    assert await state.schema_state(url) == "current"
