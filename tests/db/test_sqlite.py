"""What a writer on SQLite leaves to others: bringing the log into the file, merging the index of texts."""

import sqlite3
from pathlib import Path

import pytest
from sqlmodel import func, select

from db import tables
from db.drivers import sqlite
from db.queries.customers import sqlite_search_index
from db.statements import in_workspace, prepare
from tests.support import factories

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_long_log_is_brought_into_the_file_and_begins_anew(database, database_url, save, session, monkeypatch):
    """By whoever finds it long, after his commit, so that nobody who waits for his turn waits for that as well."""
    log = Path(database_url.removeprefix("sqlite:///") + "-wal")
    monkeypatch.setattr(sqlite, "_LOG", 300_000)
    sizes = []
    for _ in range(16):
        await save(*(factories.customer("x" * 1_000) for _ in range(60)))
        sizes.append(log.stat().st_size)
    count = prepare(
        select(func.count().label("count")).select_from(tables.Customer).where(in_workspace(tables.Customer))
    )
    assert (await session.fetch_all(count))[0].count == 960
    # Some 300 000 bytes are written each time.
    assert max(sizes) < 2_000_000


async def test_parts_of_the_index_are_merged_by_steps_and_everybody_is_found_still(database, database_url, save):
    file = sqlite3.connect(database_url.removeprefix("sqlite:///"))

    def parts():
        return len(file.execute("SELECT DISTINCT segid FROM customer_text_idx").fetchall())

    await database.write(None, sqlite_search_index.merge_by_steps)
    for letter in "abcdefghijklmno":
        row = factories.customer(letter)
        await save(row, tables.CustomerSearch(workspace_id=0, customer_id=row.id, text=f"person {3 * letter}"))
    assert parts() >= 12
    steps = 1
    while await database.write(None, sqlite_search_index.merge_step):
        steps += 1
    assert steps > 1
    assert parts() < 8
    for letter in "abcdefghijklmno":
        found = file.execute(
            "SELECT count(*) FROM customer_text WHERE customer_text MATCH ?", (f"text : {3 * letter}",)
        )
        assert found.fetchone() == (1,)
    file.close()
