"""Fixtures of the rules tests."""

import pytest

from db.engine import Database
from tests.support.rules_workspace import House, founded


@pytest.fixture(scope="module")
async def house(database: Database) -> House:
    return await founded(database)
