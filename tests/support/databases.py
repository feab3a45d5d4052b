"""The tests' databases: SQLite and PostgreSQL, migrated once a run, and a copy of its own for each test module.

A plugin of pytest (`pytest_plugins = ["tests.support.databases"]`). `database_url` gives a module its copy on each
database in turn. For one database only: `@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)`.
Tests of one module share its copy, so each makes a workspace of its own in it.
"""

import asyncio
import fcntl
import os
import shutil
import sqlite3
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.support import postgres_server

Kind = Literal["sqlite", "postgresql"]
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")

_UNTESTED: Final = "PostgreSQL was not tested"


class Databases:
    """The databases of one run, shared by its processes through a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def fresh(self, kind: Kind) -> str:
        """The URL of a new, migrated, empty database. It is dropped at the end of the run."""
        if kind == "sqlite":
            return await self._copied_file()
        name = self._name()
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{await self._template_database()}"')
        return self._url(name)

    async def empty(self, kind: Kind) -> str:
        """The URL of a new database without tables. It is dropped at the end of the run."""
        if kind == "sqlite":
            return f"sqlite:///{self.directory / self._name()}.db"
        name = self._name()
        await self._administer(f'CREATE DATABASE "{name}"')
        return self._url(name)

    async def drop(self, url: str) -> None:
        """Disconnects remaining clients."""
        if url.startswith("sqlite:"):
            file = Path(url.removeprefix("sqlite:///"))
            for part in file.parent.glob(file.name + "*"):
                part.unlink()
        else:
            await self._administer(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')

    async def drop_all(self) -> None:
        """For a server that outlives the run."""
        for row in await self._administer(f"SELECT datname FROM pg_database WHERE datname LIKE '{self._prefix}%'"):
            await self._administer(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')

    async def _copied_file(self) -> str:
        template = self.directory / "template.db"
        async with self._once("sqlite") as first:
            if first:
                await _migrated(f"sqlite:///{template}")
                _close(template)
        file = self.directory / f"{self._name()}.db"
        shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    async def _template_database(self) -> str:
        name = f"{self._prefix}template"
        async with self._once("postgresql") as first:
            if first:
                await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                await self._administer(f'CREATE DATABASE "{name}"')
                await _migrated(self._url(name))
                # A late connection would prevent copying the template.
                await self._administer(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        return name

    @asynccontextmanager
    async def _once(self, what: str) -> AsyncIterator[bool]:
        """True for the first process that gets through without an error; the others wait for it."""
        done = self.directory / f"{what}.migrated"
        with (self.directory / f"{what}.lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield not done.exists()
            done.touch()

    async def _administer(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(postgres_server.address(self.directory))
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    def _url(self, database: str) -> str:
        return urlunsplit(urlsplit(postgres_server.address(self.directory))._replace(path=f"/{database}"))

    def _name(self) -> str:
        return self._prefix + uuid.uuid4().hex[:12]

    @property
    def _prefix(self) -> str:
        """Specific to the run, so that two runs can share a server."""
        return f"clientela_{self.directory.name.rpartition('-')[2].lower()}_"


async def _migrated(url: str) -> None:
    from db.migrations import runner

    await runner.upgrade(url)


def _close(file: Path) -> None:
    """A copy of the file alone is complete only if the write-ahead log is empty."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def finished(transaction: Coroutine[Any, Any, Any]) -> Any:
    """Runs the coroutine in a thread, so that the fixture's event loop is unaffected."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, transaction).result()


# ── fixtures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config) -> Databases:
    """For tests that need additional or empty databases."""
    return pytestconfig.stash[_DATABASES]


@pytest.fixture(scope="module", params=KINDS)
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The module's database on each system in turn."""
    require(request.param, databases)
    url = finished(databases.fresh(request.param))
    yield url
    finished(databases.drop(url))


def require(kind: Kind, databases: Databases) -> None:
    """Skips the test without PostgreSQL, or fails it with CLIENTELA_TEST_REQUIRE_POSTGRES=1."""
    if kind == "sqlite":
        return
    try:
        postgres_server.address(databases.directory)
    except postgres_server.Unavailable as reason:
        if os.environ.get("CLIENTELA_TEST_REQUIRE_POSTGRES") == "1":
            pytest.fail(f"{_UNTESTED}: {reason}", pytrace=False)
        pytest.skip(f"{_UNTESTED}: {reason}")


# ── one run: begun and ended by the process that pytest was started as ────────────────────────────────────────────────

_DATABASES: Final = pytest.StashKey[Databases]()
_LOCK: Final = pytest.StashKey[Any]()


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("databases")
    directory = Path(given) if given else _begun(config)
    config.stash[_DATABASES] = Databases(directory)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells each pytest-xdist process the directory of the run."""
    node.workerinput["databases"] = str(node.config.stash[_DATABASES].directory)


def _begun(config: pytest.Config) -> Path:
    """Under /tmp regardless of TMPDIR: a socket path has at most 107 bytes."""
    directory = Path(tempfile.mkdtemp(prefix="clientela-", dir="/tmp"))
    directory.chmod(0o711)  # The server's user needs access to its own directory inside.
    lock = config.stash[_LOCK] = (directory / postgres_server.LOCK).open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return directory


def pytest_unconfigure(config: pytest.Config) -> None:
    lock = config.stash.get(_LOCK, None)
    if lock is None:
        return
    databases = config.stash[_DATABASES]
    if os.environ.get("CLIENTELA_TEST_POSTGRES") and (databases.directory / "postgresql.lock").exists():
        finished(databases.drop_all())
    fcntl.flock(lock, fcntl.LOCK_UN)
    lock.close()
    _await_end(databases.directory)


def _await_end(directory: Path) -> None:
    """The server's keeper removes the directory after the server has stopped; without a server it is removed here."""
    until = time.monotonic() + 15
    while postgres_server.is_kept(directory) and time.monotonic() < until:
        time.sleep(0.02)
    shutil.rmtree(directory, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reasons = [str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if report.longrepr]
    untested = [reason.removeprefix("Skipped: ") for reason in reasons if _UNTESTED in reason]
    if untested:
        line = untested[0].replace(_UNTESTED, f"{_UNTESTED.upper()} ({len(untested)} tests skipped)")
        terminalreporter.write_line(line, red=True, bold=True)
