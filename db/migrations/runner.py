"""Upgrades a database. `db.migrations.state` tells whether it is current."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db.errors import Unavailable

# Concurrent migrations queue on this advisory lock.
_LOCK = 0x636C69656E74


async def upgrade(url: str, to: str = "head") -> None:
    """Upgrades the database to the newest version, or to `to`, which must be newer than its own. Creates a missing
    SQLite file.

    The upgrade is atomic. Raises Unavailable if the database cannot be reached.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    await _run(url, lambda connection: _upgrade(connection, to))


def _upgrade(connection: Connection, to: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, to)


async def _run(url: str, step: Callable[[Connection], object]) -> None:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        _transactional(engine)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(step)
    except (OSError, OperationalError, TimeoutError) as error:
        raise Unavailable(str(error)) from error
    except Exception as error:
        if type(error).__module__.startswith("asyncpg."):
            raise Unavailable(str(error)) from error
        raise
    finally:
        await engine.dispose()


def driver_url(url: str) -> str:
    """The database URL in SQLAlchemy's format."""
    if url.startswith("sqlite:///"):
        return url.replace("sqlite:", "sqlite+aiosqlite:", 1)
    return "postgresql+asyncpg:" + url.split(":", 1)[1]


def _transactional(engine: AsyncEngine) -> None:
    """Controls SQLite's BEGIN, so that tables are created in one transaction and by one process at a time."""

    @event.listens_for(engine.sync_engine, "connect")
    def _manual(connection: object, record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined] # the driver's own attribute

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    return configuration
