"""Database access of the commands: reachability, schema version, migration and connection."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import click

from cli.errors import CommandError
from crm.settings import Settings
from db import engine
from db.engine import Database
from db.errors import StorageError
from db.migrations import state

CONNECT_TIMEOUT_SECONDS: Final = 10.0
"""Time that a database may take to answer."""

_BULK_STATEMENT_TIMEOUT_SECONDS: Final = 300.0

_ADVICE: Final = {
    "old": "has tables of an older version; run `clientela migrate` first",
    "empty": "has no tables yet; run `clientela migrate` first",
    "newer": "was migrated by a newer version of Clientela; install that version",
}


def require_current(settings: Settings) -> None:
    """Raises CommandError if the database cannot be reached or its tables have another version."""
    state = schema_state(settings)
    if state != "current":
        raise CommandError(f"The database {settings.database_label} {_ADVICE[state]}.")


def migrate(settings: Settings) -> None:
    """Upgrades the tables and reports the result. Raises CommandError if a newer version migrated the database."""
    state = schema_state(settings)
    if state == "newer":
        raise CommandError(f"The database {settings.database_label} {_ADVICE[state]}.")
    upgrade(settings)
    outcome = "was already at the current version" if state == "current" else "is now at the current version"
    click.echo(f"The database {settings.database_label} {outcome}.")


def upgrade(settings: Settings) -> None:
    """Creates the SQLite file if needed and runs the migrations. Raises CommandError."""
    with _connection_errors(settings):
        if settings.database_file is not None:
            settings.database_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    from db.migrations import runner  # Imported late: serving does not need Alembic.

    asyncio.run(runner.upgrade(settings.database_url))


def schema_state(settings: Settings) -> state.SchemaState:
    """The version state of the tables. A missing SQLite file counts as empty and is not created.

    Raises CommandError if the database cannot be reached.
    """
    if settings.database_file is not None and not settings.database_file.exists():
        return "empty"
    with _connection_errors(settings):
        return asyncio.run(_state(settings.database_url))


async def _state(url: str) -> state.SchemaState:
    async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
        return await state.schema_state(url)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Opens the database with the long statement timeout of bulk work."""
    database = await engine.connect(settings.database_url, statement_timeout=_BULK_STATEMENT_TIMEOUT_SECONDS)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def _connection_errors(settings: Settings) -> Iterator[None]:
    """Turns every driver error of the first contact with the database into one sentence."""
    try:
        yield
    except Exception as error:
        if not _is_from_database(error):
            raise
        raise CommandError(f"The database {settings.database_label} cannot be reached ({_reason(error)}).") from error


def _is_from_database(error: BaseException) -> bool:
    drivers = ("asyncpg", "sqlite3", "sqlalchemy")
    return isinstance(error, OSError | StorageError) or type(error).__module__.split(".")[0] in drivers


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_SECONDS:.0f} seconds"
    if isinstance(error, StorageError) and error.__cause__ is not None:
        return _reason(error.__cause__)
    error = getattr(error, "orig", None) or error
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return (reason or type(error).__name__).strip().splitlines()[0].rstrip(".")
