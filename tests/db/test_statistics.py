"""What PostgreSQL believes its tables hold, while a file fills them."""

from db import tables
from db.drivers import planner_statistics
from tests.support import factories


async def test_it_looks_again_where_it_takes_a_full_workspace_for_an_empty_one(save, session):
    await save(*(factories.customer(f"Customer {number}") for number in range(60)))
    told = (tables.Customer, tables.CustomerEmail)
    slow = session.dialect.name == "postgresql"
    assert await planner_statistics.analyze_if_outdated(session, told, 100_000) is slow
    assert not await planner_statistics.analyze_if_outdated(session, told, 60), "few rows may be looked through"
    if slow:
        assert await planner_statistics._believed(session, tables.Customer) >= 30
