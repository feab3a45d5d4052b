"""Keeps PostgreSQL's planner statistics up to date during bulk work. PostgreSQL itself analyses tables once a minute at
most. Until then it treats a growing workspace as empty and scans all of its rows for each lookup."""

import logging
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlmodel import SQLModel

from db.engine import Session
from db.errors import StorageError
from db.statements import prepare

_log = logging.getLogger("clientela.database")

MIN_ROWS_TO_ANALYZE: Final = 500
"""Number of rows below which a scan is acceptable."""

_WRONG: Final = 4


async def analyze_if_outdated(session: Session, tables: Sequence[type[SQLModel]], rows: int) -> bool:
    """Analyses the tables if PostgreSQL estimates far fewer rows of the first table than the `rows` that certainly
    exist. Returns whether it did. SQLite has fixed statistics and needs none."""
    if (
        session.dialect.name == "sqlite"
        or rows < MIN_ROWS_TO_ANALYZE
        or await _believed(session, tables[0]) * _WRONG > rows
    ):
        return False
    try:
        for table in tables:
            await session.fetch_all(prepare(text(f"ANALYZE {table.__tablename__}")))
    except StorageError as error:
        # A slow plan is still a correct plan, so an error is only logged.
        _log.warning("what the tables hold could not be looked at: %s", error)
    return True


async def _believed(session: Session, table: type[SQLModel]) -> int:
    asked = f"EXPLAIN SELECT FROM {table.__tablename__} WHERE workspace_id = {int(session.workspace_id or 0)}"
    plan = await session.fetch_all(prepare(text(asked)))
    return int(plan[0][0].partition("rows=")[2].split()[0])
