"""SQLite through aiosqlite: concurrent readers, one writer at a time, and its errors as `db.errors`."""

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path
from typing import Any

import aiosqlite
import orjson

from db.errors import StatementTimedOut, StorageError, TransactionConflict, Unavailable, UniqueViolation
from db.statements import SQLITE, ColumnNames, PreparedStatement

DIALECT = SQLITE

# Seconds that a writer waits for the transaction of another process.
BUSY_TIMEOUT = 5
STATEMENT_TIMEOUT = 5

# Seconds between two attempts to get the write lock of another process.
_LOOK = 0.003

# Size in bytes of the write-ahead log above which it is checkpointed. SQLite itself would do so as part of a commit,
# and all waiting writers would wait for it.
_LOG = 4 * 1024 * 1024

# Seconds that a statement may run on the event loop's thread, and the number of SQLite VM steps between checks.
MAX_INLINE_SECONDS = 0.001
_STEPS = 5_000
_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")


class SqliteConnection:
    """One connection on its own thread. A statement that exceeds its time limit is interrupted there."""

    def __init__(self, driver: aiosqlite.Connection, *, statement_timeout: float) -> None:
        self._driver = driver
        self._timeout = statement_timeout

    async def fetch(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], columns: ColumnNames = None
    ) -> tuple[str, list[Any]]:
        compiled = statement.compiled_for(DIALECT, columns)
        text, arguments = compiled.bind(values)
        async with self._limited():
            found = await self._driver.execute_fetchall(text, arguments)
        return text, compiled.rows(found)  # type: ignore[arg-type] # it is a list

    async def pieces(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], size: int
    ) -> AsyncGenerator[list[Any]]:
        """Uses a cursor. The whole result may be sorted before the first batch."""
        compiled = statement.compiled_for(DIALECT)
        text, arguments = compiled.bind(values)
        with _translated():
            async with self._driver.execute(text, arguments) as cursor:
                while piece := list(await cursor.fetchmany(size)):
                    yield compiled.rows(piece)

    async def execute(self, statement: PreparedStatement[Any], values: Mapping[str, Any]) -> tuple[str, int]:
        text, arguments = statement.compiled_for(DIALECT).bind(values)
        async with self._limited(), self._driver.execute(text, arguments) as cursor:
            return text, cursor.rowcount

    async def execute_many(self, statement: PreparedStatement[Any], many: Sequence[Mapping[str, Any]]) -> str:
        compiled = statement.compiled_for(DIALECT)
        bound = [compiled.bind(values) for values in many]
        async with self._limited(), self._driver.executemany(bound[0][0], [arguments for _, arguments in bound]):
            return bound[0][0]

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> str:
        text = f'INSERT INTO "{table}" ({", ".join(map(_quoted, columns))}) VALUES ({", ".join("?" * len(columns))})'
        with _translated():
            async with self._driver.executemany(text, (tuple(map(_stored, record)) for record in records)):
                return text

    async def script(self, text: str) -> None:
        """Runs text without values: BEGIN, COMMIT, PRAGMA. A ROLLBACK without a transaction is ignored."""
        with _translated():
            if text == SqlitePool.begin:
                await self._begin(text)
                return
            try:
                await self._driver.execute(text)
            except sqlite3.OperationalError as error:
                if text != "ROLLBACK" or "no transaction is active" not in str(error):
                    raise

    async def bring_in(self) -> None:
        """Checkpoints the write-ahead log. Committed data stays committed if this fails."""
        with suppress(sqlite3.OperationalError):
            await self._driver.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    async def _begin(self, text: str) -> None:
        """Waits for the write lock of another process with frequent attempts. SQLite's own busy handler sleeps a tenth
        of a second and misses the pauses of a process that writes repeatedly."""
        until = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                await self._driver.execute(text)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            else:
                return
            await asyncio.sleep(_LOOK)

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        with _translated():
            limit = asyncio.get_running_loop().call_later(self._timeout, self._driver._conn.interrupt)
            try:
                yield
            except asyncio.CancelledError:
                self._driver._conn.interrupt()
                raise
            finally:
                limit.cancel()


class SqliteReader:
    """Reads on the event loop's thread as long as that is faster than handing the statement to another thread. A slower
    statement moves to the thread, and starts there the next time."""

    def __init__(self, path: Path, threaded: Callable[[], AbstractAsyncContextManager[SqliteConnection]]) -> None:
        self._driver = sqlite3.connect(path, isolation_level=None, timeout=0, cached_statements=500)
        for pragma in ("cache_size = -65536", "mmap_size = 268435456", "temp_store = MEMORY", "query_only = ON"):
            self._driver.execute(f"PRAGMA {pragma}")
        self._driver.set_progress_handler(lambda: time.perf_counter() > self._until, _STEPS)
        self._until = 0.0
        self._threaded = threaded
        self._long: set[tuple[int, ColumnNames]] = set()

    async def fetch(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], columns: ColumnNames = None
    ) -> tuple[str, list[Any]]:
        if (id(statement), columns) not in self._long:
            compiled = statement.compiled_for(DIALECT, columns)
            text, arguments = compiled.bind(values)
            self._until = time.perf_counter() + MAX_INLINE_SECONDS
            try:
                return text, compiled.rows(self._driver.execute(text, arguments).fetchall())
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
                    self._remember(statement, columns)
        async with self._threaded() as connection:
            return await connection.fetch(statement, values, columns)

    async def pieces(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], size: int
    ) -> AsyncGenerator[list[Any]]:
        async with self._threaded() as connection, aclosing(connection.pieces(statement, values, size)) as found:
            async for piece in found:
                yield piece

    def close(self) -> None:
        self._driver.close()

    def _remember(self, statement: PreparedStatement[Any], columns: ColumnNames) -> None:
        if len(self._long) >= 1_000:
            self._long.clear()
        self._long.add((id(statement), columns))


class SqlitePool:
    """Readers see the last commit and never wait. Writers queue: on a lock within the process, on the file across
    processes."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, *, size: int, statement_timeout: float) -> None:
        self._path = path
        self._timeout = statement_timeout
        self._idle: list[SqliteConnection] = []
        self._open: list[aiosqlite.Connection] = []
        self._places = asyncio.Semaphore(size)
        self._turn = asyncio.Lock()
        self._writer: SqliteConnection | None = None
        self._log = Path(f"{path}-wal")
        self._bringing_in = asyncio.Lock()
        self._own: SqliteConnection | None = None
        self._reader = SqliteReader(path, self._threaded)

    @classmethod
    async def open(cls, path: Path, *, size: int, statement_timeout: float = STATEMENT_TIMEOUT) -> "SqlitePool":
        """Opens the file. Raises Unavailable if that fails."""
        with _translated():
            pool = cls(path, size=size, statement_timeout=statement_timeout)
        pool._idle.append(await pool._connect(query_only=True))
        return pool

    def fetch(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], columns: ColumnNames = None
    ) -> Coroutine[Any, Any, tuple[str, list[Any]]]:
        return self._reader.fetch(statement, values, columns)

    def reading(self) -> AbstractAsyncContextManager[SqliteReader]:
        return nullcontext(self._reader)

    @asynccontextmanager
    async def _threaded(self) -> AsyncIterator[SqliteConnection]:
        async with self._places:
            connection = self._idle.pop() if self._idle else await self._connect(query_only=True)
            try:
                yield connection
            finally:
                self._idle.append(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqliteConnection]:
        async with self._turn:
            if self._writer is None:
                self._writer = await self._connect(query_only=False)
            yield self._writer
        await self._bring_in()

    async def _bring_in(self) -> None:
        """Checkpoints the log if it is long, while others write; the log restarts with the next write. A separate
        connection does it, because the caller may hold a reader."""
        if self._bringing_in.locked() or not self._log.exists() or self._log.stat().st_size <= _LOG:
            return
        async with self._bringing_in:
            if self._own is None:
                self._own = await self._connect(query_only=True)
            await self._own.bring_in()

    async def close(self) -> None:
        self._reader.close()
        for driver in self._open:
            await driver.close()

    async def _connect(self, *, query_only: bool) -> SqliteConnection:
        with _translated():
            driver = await aiosqlite.connect(
                self._path, isolation_level=None, timeout=BUSY_TIMEOUT, cached_statements=500
            )
            self._open.append(driver)
            for pragma in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL", "cache_size = -65536",
                           "mmap_size = 268435456", "temp_store = MEMORY"):  # fmt: skip
                await driver.execute(f"PRAGMA {pragma}")
            await driver.execute(f"PRAGMA journal_size_limit = {_LOG}")
            await driver.execute("PRAGMA wal_autocheckpoint = 0")
            await driver.execute("PRAGMA query_only = ON" if query_only else "PRAGMA busy_timeout = 0")
        return SqliteConnection(driver, statement_timeout=self._timeout)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _stored(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        if found := _UNIQUE.match(str(error)):
            raise _taken(found[1]) from error
        raise
    except sqlite3.OperationalError as error:
        raise _operational(error) from error


def _operational(error: sqlite3.OperationalError) -> Exception:
    """Busy and interrupted are states of the database; every other failure to open or read is Unavailable."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_BUSY") or name.startswith("SQLITE_LOCKED"):
        return TransactionConflict(str(error))
    if name == "SQLITE_INTERRUPT":
        return StatementTimedOut(str(error))
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_READONLY")):
        return Unavailable(str(error))
    return error


def _taken(columns: str) -> StorageError:
    """SQLite names the columns, "tag.workspace_id, tag.kind", instead of the constraint."""
    pairs = [column.split(".") for column in columns.split(", ")]
    return UniqueViolation(pairs[0][0], tuple(name for _, name in pairs if name != "workspace_id"))
