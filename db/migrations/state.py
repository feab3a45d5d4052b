"""Compares the version of a database with this code, without Alembic, which loads slowly. Every start does this."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from db.errors import Unavailable

SchemaState = Literal["current", "old", "empty", "newer"]

_VERSIONS: Final = Path(__file__).parent / "versions"


def known_versions() -> list[str]:
    """The versions that this code knows, newest last, from the file names."""
    return sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


async def schema_state(url: str) -> SchemaState:
    """The version state: `old` needs a migration, `newer` needs newer code. Raises Unavailable if the database cannot
    be reached."""
    version = _on_sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else await _on_postgresql(url)
    if version is None:
        return "empty"
    versions = known_versions()
    if version not in versions:
        return "newer"
    return "current" if version == versions[-1] else "old"


def _on_sqlite(path: str) -> str | None:
    if not Path(path).exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None


async def _on_postgresql(url: str) -> str | None:
    import asyncpg  # Imported late: SQLite does not need it.

    try:
        connection = await asyncpg.connect(url)
        try:
            if await connection.fetchval("SELECT to_regclass('alembic_version')::text") is None:
                return None
            found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
            return found
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(str(error)) from error
