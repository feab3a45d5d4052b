"""The tests' own databases: of both kinds, migrated, and each module's its own."""

import pytest

from db import engine, migrating
from tests.databases import KINDS, Databases, require


async def test_a_module_has_a_migrated_database_of_each_kind(database_url):
    assert await migrating.state(database_url) == "current"


async def test_its_pool_serves_all_tests_of_the_module(database_url):
    database = await engine.connect(database_url)
    async with database.transaction(None) as work:
        await work._held.script("SELECT 1")
    await database.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_fresh_ones_are_separate_and_empty_ones_are_empty(kind, databases: Databases):
    require(kind, databases)
    first, second, empty = await databases.fresh(kind), await databases.fresh(kind), await databases.empty(kind)
    assert len({first, second, empty}) == 3
    assert [await migrating.state(url) for url in (first, second, empty)] == ["current", "current", "empty"]
