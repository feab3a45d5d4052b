"""A seeded workspace and its content."""

import json
from collections import defaultdict

import pytest
from sqlmodel import select

from crm import seeding
from crm.seeding.rows import COLUMNS_BY_TABLE
from db import tables
from db.statements import in_workspace, prepare
from db.values import ids

CUSTOMERS = 1_500
STAGES = ["First contact", "Won"]
FILLED = [*COLUMNS_BY_TABLE, tables.CustomField, tables.Change]


# ── what is seeded, read back ─────────────────────────────────────────────────────────────────────────────────────────


def public_id(number):
    return ids.id_at(number, number.to_bytes(10, "big"))


async def founded(database, number=1):
    """A workspace with settings only, the same everywhere; returns its public id."""

    async def found(transaction):
        settings = {"automation_rules": [0, 1, 2, 3], "follow_up_stages": STAGES, "sources": ["Website", "Fair"]}
        await transaction.insert(tables.Directory(workspace_id=number, id=public_id(number), created_at=number))
        await transaction.insert(tables.Workspace(workspace_id=number, id=public_id(number), name="Test", **settings))
        await transaction.insert(tables.Counter(workspace_id=number))

    await database.write(number, found)
    return f"wsp_{public_id(number).hex()}"


async def seed(database, workspace, customers=CUSTOMERS, **options):
    told = []
    await seeding.seed_customers(
        database, workspace=workspace, customers=customers, progress=lambda *now: told.append(now), **options
    )
    return told


async def everything(database, number=1):
    """All rows of the workspace by table."""
    session = database.session(number)
    mine = {table: table.workspace_id == number if table is tables.Account else in_workspace(table) for table in FILLED}
    return {table: await session.fetch_all(prepare(select(table).where(mine[table]))) for table in FILLED}


def values(row):
    return {name: getattr(row, name) for name in row.table.__table__.columns.keys()}  # noqa: SIM118 - columns are iterated, not names.


def printed(row):
    """JSON as text: PostgreSQL reorders the keys of an object."""
    return json.dumps(values(row), default=bytes.hex, sort_keys=True)


@pytest.fixture(scope="module")
async def seeded(database):
    await seed(database, await founded(database))
    return await everything(database)


@pytest.fixture(scope="module")
def customers(seeded):
    return seeded[tables.Customer]


@pytest.fixture(scope="module")
def of(seeded):
    """A customer's rows of a table."""
    grouped = {}
    for table, rows in seeded.items():
        if "customer_id" in COLUMNS_BY_TABLE.get(table, ()):
            grouped[table] = defaultdict(list)
            for row in rows:
                grouped[table][row.customer_id].append(row)
    return lambda table, customer: grouped[table].get(customer.id, [])
