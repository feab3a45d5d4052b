"""The tests' own databases: of both kinds, migrated, and each module's its own."""

import pytest
from alembic.script import ScriptDirectory

from db import engine
from db.migrations import runner, state
from tests.support.databases import KINDS, Databases, require


async def test_a_module_has_a_migrated_database_of_each_kind(database_url):
    assert await state.schema_state(database_url) == "current"


def test_the_versions_are_known_by_the_names_of_their_files():
    scripts = ScriptDirectory.from_config(runner._configuration())
    assert state.known_versions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert state.known_versions()[-1] == scripts.get_current_head()


async def test_its_pool_serves_all_tests_of_the_module(database_url):
    database = await engine.connect(database_url)
    async with database.transaction(None) as transaction:
        await transaction._held.script("SELECT 1")
    await database.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_fresh_ones_are_separate_and_empty_ones_are_empty(kind, databases: Databases):
    require(kind, databases)
    first, second, empty = await databases.fresh(kind), await databases.fresh(kind), await databases.empty(kind)
    assert len({first, second, empty}) == 3
    assert [await state.schema_state(url) for url in (first, second, empty)] == ["current", "current", "empty"]
