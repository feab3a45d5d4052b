"""The database as the commands meet it: reachable, at the right version, open while something is done with it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import click

from cli.errors import Refused
from crm.settings import Settings
from db import engine
from db.engine import Database
from db.errors import StorageError
from db.migrations import state

PATIENCE: Final = 10.0
"""Seconds that a database may take to answer."""

_BULK_STATEMENT: Final = 300.0
"""Seconds that one statement of bulk work may take."""

_ADVICE: Final = {
    "old": "has the tables of an older version; run `clientela migrate` first",
    "empty": "has no tables yet; run `clientela migrate` first",
    "newer": "was migrated by a newer version of Clientela; install that version",
}


def require_current(settings: Settings) -> None:
    """Raises Refused where the database cannot be reached or has another version's tables."""
    state = state_of(settings)
    if state != "current":
        raise Refused(f"The database {settings.database_shown} {_ADVICE[state]}.")


def migrate(settings: Settings) -> None:
    state = state_of(settings)
    if state == "newer":
        raise Refused(f"The database {settings.database_shown} {_ADVICE[state]}.")
    upgrade(settings)
    done = "was at the newest version already" if state == "current" else "is at the newest version now"
    click.echo(f"The database {settings.database_shown} {done}.")


def upgrade(settings: Settings) -> None:
    with _reaching(settings):
        if settings.database_file is not None:
            settings.database_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    from db.migrations import runner  # Imported late: who only serves needs none of its tools.

    asyncio.run(runner.upgrade(settings.database_url))


def state_of(settings: Settings) -> state.State:
    """A SQLite file that is not there counts as empty and is not made. Raises Refused."""
    if settings.database_file is not None and not settings.database_file.exists():
        return "empty"
    with _reaching(settings):
        return asyncio.run(_state(settings.database_url))


async def _state(url: str) -> state.State:
    async with asyncio.timeout(PATIENCE):
        return await state.state(url)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """For bulk work, whose statements may take their time."""
    database = await engine.connect(settings.database_url, statement_timeout=_BULK_STATEMENT)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def _reaching(settings: Settings) -> Iterator[None]:
    """Whatever the driver says while the database is first spoken to becomes one sentence."""
    try:
        yield
    except Exception as error:
        if not _is_from_database(error):
            raise
        raise Refused(f"The database {settings.database_shown} cannot be reached ({_reason(error)}).") from error


def _is_from_database(error: BaseException) -> bool:
    drivers = ("asyncpg", "sqlite3", "sqlalchemy")
    return isinstance(error, OSError | StorageError) or type(error).__module__.split(".")[0] in drivers


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:.0f} seconds"
    if isinstance(error, StorageError) and error.__cause__ is not None:
        return _reason(error.__cause__)
    error = getattr(error, "orig", None) or error
    said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return (said or type(error).__name__).strip().splitlines()[0].rstrip(".")
