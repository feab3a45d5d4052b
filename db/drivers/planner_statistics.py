"""What PostgreSQL believes its tables hold. It looks once a minute at most; until then a workspace that fills up is
taken for an empty one, and whatever is read of it by any key is looked for among all that it has."""

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
"""Rows that may be looked through."""

_WRONG: Final = 4


async def analyze_if_outdated(session: Session, tables: Sequence[type[SQLModel]], rows: int) -> bool:
    """Has PostgreSQL look at the tables where it takes the workspace's rows of the first one for far fewer than the
    `rows` that are there for certain; whether it did. SQLite was told with its first migration, for good."""
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
        # Slow plans are plans as well.
        _log.warning("what the tables hold could not be looked at: %s", error)
    return True


async def _believed(session: Session, table: type[SQLModel]) -> int:
    asked = f"EXPLAIN SELECT FROM {table.__tablename__} WHERE workspace_id = {int(session.workspace_id or 0)}"
    plan = await session.fetch_all(prepare(text(asked)))
    return int(plan[0][0].partition("rows=")[2].split()[0])
