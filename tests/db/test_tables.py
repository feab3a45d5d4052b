"""The tables: one shape on every database, and every key of a workspace's table begins with the workspace."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.ext.asyncio import create_async_engine

from db import tables
from db.migrations.runner import driver_url
from db.values import ids
from tests.support import factories

TABLES = list(tables.metadata.tables.values())
# What workers look through over all workspaces, without a lock.
ACROSS = {"ix_job_open"}
OF_WORKSPACES = [table for table in TABLES if table.name not in tables.GLOBAL]


@pytest.mark.parametrize("table", OF_WORKSPACES, ids=lambda table: table.name)
def test_every_key_unique_and_foreign_key_starts_with_the_workspace(table):
    keys: list[Any] = [
        *(one for one in table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)),
        *(one for one in table.constraints if isinstance(one, ForeignKeyConstraint)),
        *(index for index in table.indexes if index.name not in ACROSS),
    ]
    assert [key.name for key in keys if next(iter(key.columns)).name != "workspace_id"] == []
    for key in table.foreign_key_constraints:
        assert key.elements[0].column.name == "workspace_id"
        assert key.referred_table.name not in tables.GLOBAL
        assert key.ondelete in (None, "CASCADE")


def test_tables_beside_the_workspaces_are_few_and_hold_no_foreign_key():
    assert {table.name for table in TABLES if table not in OF_WORKSPACES} == tables.GLOBAL
    for table in TABLES:
        if table.name in tables.GLOBAL:
            assert table.foreign_key_constraints == set()


async def test_the_migrations_make_what_the_tables_describe(database_url):
    engine = create_async_engine(driver_url(database_url))

    def differences(connection: Any) -> list[Any]:
        opts = {"compare_type": True, "include_object": _described}
        context = MigrationContext.configure(connection, opts=opts)
        found = compare_metadata(context, tables.metadata)
        return [one for one in found if connection.dialect.name != "sqlite" or not _only_elsewhere(one)]

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


def _only_elsewhere(difference: Any) -> bool:
    """An index that only PostgreSQL has."""
    return bool(difference[0] == "add_index" and difference[1].name == "ix_customer_search_text")


def _described(thing: Any, name: str, kind: str, reflected: bool, compared: Any) -> bool:
    """SQLite's full-text index is tables to it, and the documents have a number there; the migration tells why."""
    return not (
        (kind == "table" and name.startswith("customer_text"))
        or (kind == "column" and (thing.table.name, name) == ("customer_search", "number"))
        or (kind == "unique_constraint" and name == "uq_customer_search_customer_id")
    )


def test_a_record_is_created_at_the_moment_of_its_id():
    assert factories.customer().created_at == pytest.approx(ids.current_time(), abs=2_000)
    customer = factories.customer(created_at=1_600_000_000_000)
    assert ids.id_time(customer.id) == customer.created_at == customer.updated_at


def test_ids_of_one_process_grow():
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
