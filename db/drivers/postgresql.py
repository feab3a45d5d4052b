"""PostgreSQL through asyncpg: the connection pool, the operations of a connection, and its errors as `db.errors`."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
import orjson

from db.errors import StatementTimedOut, StorageError, TransactionConflict, Unavailable, constraint_name
from db.statements import POSTGRESQL, ColumnNames, PreparedStatement

DIALECT = POSTGRESQL

# Seconds. The lock timeout is shorter than the statement timeout, so a blocked writer answers before the caller gives
# up.
STATEMENT_TIMEOUT_MS = 5
LOCK_TIMEOUT = 3
CONNECT_TIMEOUT_SECONDS = 3
# A streamed result may be sorted completely before its first batch.
LASTING_TIMEOUT = 300

# Idle time in seconds after which an unused connection is closed.
MAX_IDLE_SECONDS = 300


class PostgresqlConnection:
    """One connection. It passes statements directly to the driver."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @property
    def open(self) -> bool:
        return not self._driver.is_closed()

    @property
    def usable(self) -> bool:
        """False if the connection is closed or a transaction in it could not be ended."""
        return not self._driver.is_closed() and not self._driver.is_in_transaction()

    def drop(self) -> None:
        """Closes the connection immediately, whatever it is doing."""
        self._driver.terminate()

    async def close(self) -> None:
        with _translated():
            await self._driver.close(timeout=CONNECT_TIMEOUT_SECONDS)

    async def fetch(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], columns: ColumnNames = None
    ) -> tuple[str, list[Any]]:
        compiled = statement.compiled_for(DIALECT, columns)
        text, arguments = compiled.bind(values)
        try:
            return text, await self._driver.fetch(text, *arguments, record_class=compiled.row)
        except Exception as error:
            with _translated():
                raise error

    async def pieces(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], size: int
    ) -> AsyncGenerator[list[Any]]:
        """Uses a cursor. The whole result may be sorted before the first batch."""
        compiled = statement.compiled_for(DIALECT)
        text, arguments = compiled.bind(values)
        with _translated():
            async with self._driver.transaction(readonly=True):
                await self._driver.execute(f"SET LOCAL statement_timeout = {LASTING_TIMEOUT * 1000}")
                cursor = await self._driver.cursor(text, *arguments, record_class=compiled.row)
                while piece := await cursor.fetch(size):
                    yield piece

    async def execute(self, statement: PreparedStatement[Any], values: Mapping[str, Any]) -> tuple[str, int]:
        text, arguments = statement.compiled_for(DIALECT).bind(values)
        with _translated():
            status: str = await self._driver.execute(text, *arguments)
        return text, int(status.rsplit(" ", 1)[-1])

    async def execute_many(self, statement: PreparedStatement[Any], many: Sequence[Mapping[str, Any]]) -> str:
        compiled = statement.compiled_for(DIALECT)
        bound = [compiled.bind(values) for values in many]
        with _translated():
            await self._driver.executemany(bound[0][0], [arguments for _, arguments in bound])
        return bound[0][0]

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> str:
        with _translated():
            await self._driver.copy_records_to_table(table, columns=list(columns), records=records)
        return f"COPY {table}"

    async def script(self, text: str) -> None:
        """Runs text without values: BEGIN, COMMIT, SET."""
        with _translated():
            await self._driver.execute(text)


class PostgresqlPool:
    """A pool that connects on demand and returns connections as they are: it sends no statement between uses.

    asyncpg's own pool starts one task to acquire and one to release a connection, which costs as much as a read.
    """

    begin = "BEGIN"

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._connect = connect
        # Free slots for connections; empty while a task waits.
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()
        # The most recently used connection is used next, so unused ones expire at the other end.
        self._idle: list[tuple[PostgresqlConnection, float]] = []
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, size: int, statement_timeout: float = STATEMENT_TIMEOUT_MS) -> "PostgresqlPool":
        """Creates the pool. It connects on first use."""

        async def connect() -> Any:
            driver = await asyncpg.connect(
                url,
                statement_cache_size=500,
                timeout=CONNECT_TIMEOUT_SECONDS,
                server_settings={
                    "application_name": "clientela",
                    "statement_timeout": str(int(statement_timeout * 1000)),
                    "lock_timeout": str(LOCK_TIMEOUT * 1000),
                    "jit": "off",
                    # Indexes are in memory or on an SSD. The default costs assume slow seeks and prefer to scan whole
                    # tables. The memory limit lets a page's candidates be sorted or hashed in memory.
                    "random_page_cost": "1.1",
                    "work_mem": "32MB",
                },
            )
            await _codecs(driver)
            return driver

        return cls(connect, size)

    async def take(self) -> PostgresqlConnection:
        """Acquires a connection. Raises Unavailable if there is none within CONNECT_TIMEOUT_SECONDS."""
        if self._free:
            self._free -= 1
        else:
            await self._turn()
        try:
            return self._rested() or await self._made()
        except BaseException:
            self._vacate()
            raise

    def give(self, connection: PostgresqlConnection) -> None:
        if connection.usable:
            self._rest(connection)
        else:
            self._vacate()
            connection.drop()

    def _rest(self, connection: PostgresqlConnection) -> None:
        self._vacate()
        if self._closed:
            connection.drop()
            return
        now = time.monotonic()
        self._idle.append((connection, now))
        if now - self._idle[0][1] > MAX_IDLE_SECONDS:
            self._idle.pop(0)[0].drop()

    async def fetch(
        self, statement: PreparedStatement[Any], values: Mapping[str, Any], columns: ColumnNames = None
    ) -> tuple[str, list[Any]]:
        """Runs a query on a connection that is held only while it runs."""
        connection = await self.take()
        try:
            found = await connection.fetch(statement, values, columns)
        except BaseException:
            self.give(connection)
            raise
        # A single statement leaves no transaction open.
        self._rest(connection)
        return found

    def reading(self) -> "BorrowedConnection":
        return BorrowedConnection(self)

    writing = reading

    async def close(self) -> None:
        """Connections in use are closed when they are released."""
        self._closed = True
        for connection, _ in self._idle:
            await connection.close()
        self._idle.clear()

    async def _turn(self) -> None:
        """Waits for a free slot, first come, first served."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            with _translated():
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    await mine
        except BaseException:
            if mine.done() and not mine.cancelled():
                self._vacate()
            raise

    def _vacate(self) -> None:
        if not self._waiting:
            self._free += 1
            return
        while self._waiting:
            next_ = self._waiting.popleft()
            if not next_.done():
                next_.set_result(None)
                return
        self._free += 1

    def _rested(self) -> PostgresqlConnection | None:
        while self._idle:
            connection, _ = self._idle.pop()
            if connection.open:
                return connection
        return None

    async def _made(self) -> PostgresqlConnection:
        if self._closed:
            raise Unavailable("the database was closed")
        with _translated():
            return PostgresqlConnection(await self._connect())


class BorrowedConnection:
    """A connection for the duration of an `async with`."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: PostgresqlPool) -> None:
        self._pool = pool

    async def __aenter__(self) -> PostgresqlConnection:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        self._pool.give(self._connection)


async def _codecs(driver: Any) -> None:
    await driver.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from error
    except (
        asyncpg.SerializationError,
        asyncpg.DeadlockDetectedError,
        # A referenced row was deleted concurrently. The retry will not find it.
        asyncpg.ForeignKeyViolationError,
    ) as error:
        raise TransactionConflict(str(error)) from error
    except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
        raise StatementTimedOut(str(error)) from error
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError,
        asyncpg.TooManyConnectionsError,
        asyncpg.InterfaceError,
        OSError,
        TimeoutError,
    ) as error:
        raise Unavailable(str(error) or type(error).__name__) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise Unavailable(str(error)) from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise Unavailable(str(error)) from error


def _taken(error: Any) -> StorageError:
    from db.drivers.constraints import unique_violation  # Imported late: it inspects all tables.

    return unique_violation(constraint_name(error.constraint_name))
