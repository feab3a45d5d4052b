"""Databases, sessions, transactions and retries."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

from sqlalchemy import Dialect, insert, literal_column, select
from sqlmodel import SQLModel

from db.errors import TransactionConflict, Unavailable
from db.rows import Row
from db.short_cache import ShortCache
from db.statements import ColumnNames, PreparedStatement
from db.tables import key_columns

T = TypeVar("T")
C = TypeVar("C")

# Number of attempts of a transaction that loses races. The pause between attempts grows and is random.
MAX_TRANSACTION_ATTEMPTS = 8
_PAUSE = 0.01

# Fewer rows use a prepared statement; more rows use COPY.
_COPIED_FROM = 100


class _Connection(Protocol):
    def fetch(
        self, statement: PreparedStatement[Any], values: dict[str, Any], columns: ColumnNames = None
    ) -> Coroutine[Any, Any, tuple[str, list[Any]]]: ...
    async def execute(self, statement: PreparedStatement[Any], values: dict[str, Any]) -> tuple[str, int]: ...
    async def execute_many(self, statement: PreparedStatement[Any], many: Sequence[dict[str, Any]]) -> str: ...
    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> str: ...
    async def script(self, text: str) -> None: ...


class Session:
    """Runs queries. Every statement is bound to one workspace (None: the global tables).

    `columns` are the columns that the caller needs; `pruned` tells whether rows with only these columns were returned.
    """

    def __init__(self, database: "Database", workspace_id: int | None, columns: ColumnNames = None) -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.columns = columns
        self.pruned = False

    @property
    def dialect(self) -> Dialect:
        return self.database.dialect

    async def fetch_all(self, statement: PreparedStatement[T], **values: Any) -> list[T]:
        """Fetches all rows as light rows that read like the tables' classes."""
        return await self._rows(statement, None, values)

    async def fetch_pruned(self, statement: PreparedStatement[T], **values: Any) -> list[T]:
        """Like `fetch_all`, but only with the columns that the caller needs, plus the id. For queries that return their
        rows unchanged."""
        self.pruned = self.columns is not None
        return await self._rows(statement, self.columns, values)

    async def _rows(self, statement: PreparedStatement[T], columns: ColumnNames, values: dict[str, Any]) -> list[T]:
        values["workspace_id"] = self.workspace_id
        text, found = await self._fetch(statement, values, columns)
        if Database.observers:
            self.database.notify_observers(text)
        return found

    async def fetch_first(self, statement: PreparedStatement[T], **values: Any) -> T | None:
        """The first row, or None."""
        found = await self.fetch_all(statement, **values)
        return found[0] if found else None

    async def fetch_cached(self, statement: PreparedStatement[T]) -> list[T]:
        """Fetches the rows of a statement without values, at most LIFETIME_SECONDS old. For rows that rarely change.
        Writes of this process are visible immediately."""
        settled = self.database.short_cache
        found = cast(list[T] | None, settled.get(self.workspace_id, statement))
        if found is None:
            since = settled.changes
            found = await self.fetch_all(statement)
            settled.put(self.workspace_id, statement, found, since=since)
        return found

    async def stream(self, statement: PreparedStatement[T], size: int, **values: Any) -> AsyncGenerator[list[T]]:
        """Streams the rows in batches of `size`, as one snapshot, for results that do not fit into memory. It holds a
        connection until it ends; close it if you leave it early."""
        values["workspace_id"] = self.workspace_id
        async with self._connection() as connection, aclosing(connection.pieces(statement, values, size)) as found:
            async for piece in found:
                yield piece
        self.database.notify_observers(statement.compiled_for(self.dialect).sql)

    def _fetch(
        self, statement: PreparedStatement[Any], values: dict[str, Any], columns: ColumnNames
    ) -> Coroutine[Any, Any, tuple[str, list[Any]]]:
        fetched: Coroutine[Any, Any, tuple[str, list[Any]]] = self.database.pool.fetch(statement, values, columns)
        return fetched

    def _connection(self) -> Any:
        return self.database.pool.reading()


class Transaction(Session):
    """A session inside one transaction. It reads its own writes."""

    def __init__(self, database: "Database", workspace_id: int | None, connection: _Connection) -> None:
        super().__init__(database, workspace_id)
        self._held = connection

    async def fetch_cached(self, statement: PreparedStatement[T]) -> list[T]:
        """Fetches the rows as they are in this transaction."""
        return await self.fetch_all(statement)

    def _fetch(
        self, statement: PreparedStatement[Any], values: dict[str, Any], columns: ColumnNames
    ) -> Coroutine[Any, Any, tuple[str, list[Any]]]:
        return self._held.fetch(statement, values, columns)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        yield self._held

    async def execute(self, statement: PreparedStatement[Any], **values: Any) -> int:
        """Runs a write statement and returns the number of affected rows."""
        text, count = await self._held.execute(statement, {"workspace_id": self.workspace_id, **values})
        self.database.notify_observers(text)
        return count

    async def execute_many(self, statement: PreparedStatement[Any], many: Sequence[Mapping[str, Any]]) -> None:
        """Runs a write statement once for each set of values, in one round trip."""
        bound = [{"workspace_id": self.workspace_id, **values} for values in many]
        if bound:
            self.database.notify_observers(await self._held.execute_many(statement, bound))

    async def insert(self, *rows: SQLModel | Row) -> None:
        """Inserts rows of one table with one statement. Raises UniqueViolation if a unique value exists."""
        if not rows:
            return
        kind = _kind(rows[0])
        if len(rows) < _COPIED_FROM:
            many = [_values(row) for row in rows]
            self.database.notify_observers(await self._held.execute_many(_insertion(kind), many))
        else:
            await self.copy(kind, _columns(kind), map(_record(kind), rows))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Rolls back the writes inside the block if it raises; earlier writes stay."""
        await self._held.script("SAVEPOINT part")
        try:
            yield
        except BaseException:
            # A rolled back savepoint still exists and would be mistaken for the outer one.
            await self._held.script("ROLLBACK TO SAVEPOINT part")
            await self._held.script("RELEASE SAVEPOINT part")
            raise
        await self._held.script("RELEASE SAVEPOINT part")

    async def copy(self, table: type[SQLModel], columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
        """Inserts many rows by the fastest method of the database. `records` match `columns` in order."""
        columns, records = key_columns.complete_records(table, columns, records)
        self.database.notify_observers(await self._held.copy(str(table.__tablename__), columns, records))


class Database:
    """An open database: its pool and its sessions and transactions."""

    # Functions that get the text of every statement that any database of this process sends. Tests count and inspect
    # statements with them.
    observers: ClassVar[list[Callable[[str], None]]] = []

    def __init__(self, pool: Any, dialect: Dialect) -> None:
        self.pool = pool
        self.dialect = dialect
        self.short_cache = ShortCache()
        self._components: dict[type, Any] = {}

    def notify_observers(self, text: str) -> None:
        for observer in self.observers:
            observer(text)

    def session(self, workspace_id: int | None, columns: ColumnNames = None) -> Session:
        """A session for reads. Each statement holds a connection only while it runs."""
        return Session(self, workspace_id, columns)

    async def write(self, workspace_id: int | None, rule: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `rule` in one transaction and commits. A transaction that loses a race starts again, so a rule keeps no
        state between attempts. Raises what the rule raises, TransactionConflict after MAX_TRANSACTION_ATTEMPTS, and
        Unavailable."""
        for attempt in range(1, MAX_TRANSACTION_ATTEMPTS + 1):
            try:
                async with self.transaction(workspace_id) as transaction:
                    return await rule(transaction)
            except TransactionConflict:
                if attempt == MAX_TRANSACTION_ATTEMPTS:
                    raise
                await asyncio.sleep(random.uniform(0, _PAUSE * 2**attempt))
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def transaction(self, workspace_id: int | None) -> AsyncIterator[Transaction]:
        """One transaction without retries, for work that cannot simply be repeated. Prefer `write`."""
        async with self.pool.writing() as connection:
            try:
                await connection.script(self.pool.begin)
            except asyncio.CancelledError:
                # The transaction may have started nevertheless.
                await _undo(connection)
                raise
            try:
                yield Transaction(self, workspace_id, connection)
            except BaseException:
                await _undo(connection)
                raise
            await connection.script("COMMIT")
            self.short_cache.invalidate(workspace_id)

    def component(self, kind: type[C]) -> C:
        """This database's own instance of `kind`, created on first use with `kind()`.

        Caches and other state that belongs to one open database live here, so they end with it.
        """
        found: C | None = self._components.get(kind)
        if found is None:
            found = self._components[kind] = kind()
        return found

    async def close(self) -> None:
        await self.pool.close()


async def connect(url: str, *, size: int = 8, statement_timeout: float = 5.0) -> Database:
    """Opens `sqlite:///path` or `postgresql://…` with at most `size` connections. Raises Unavailable.

    Each driver is imported late, because a process uses one database.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        if not path.exists():
            raise Unavailable(f"there is no database file {path}")
        from db.drivers import sqlite

        return Database(
            await sqlite.SqlitePool.open(path, size=size, statement_timeout=statement_timeout), sqlite.DIALECT
        )
    from db.drivers import postgresql

    pool = await postgresql.PostgresqlPool.open(url, size=size, statement_timeout=statement_timeout)
    return Database(pool, postgresql.DIALECT)


_ONE: PreparedStatement[Any] = PreparedStatement(select(literal_column("1").label("one")))


async def ping(database: Database) -> None:
    """Raises StorageError unless the database answers."""
    await database.session(None).fetch_all(_ONE)


async def _undo(connection: _Connection) -> None:
    """If the rollback fails, the database rolls back when the connection closes."""
    try:
        await asyncio.shield(connection.script("ROLLBACK"))
    except Unavailable:
        return


@cache
def _columns(table: type[SQLModel]) -> Sequence[str]:
    return tuple(SQLModel.metadata.tables[str(table.__tablename__)].columns.keys())


@cache
def _record(table: type[SQLModel]) -> Callable[[Any], Sequence[Any]]:
    """Returns the function that turns a row into a record for COPY."""
    columns = _columns(table)
    read, fill = attrgetter(*columns), key_columns.record_filler(table, columns)
    return read if fill is None else lambda row: fill(read(row))


@cache
def _insertion(table: type[SQLModel]) -> PreparedStatement[Any]:
    return PreparedStatement(insert(SQLModel.metadata.tables[str(table.__tablename__)]))


def _kind(row: SQLModel | Row) -> type[SQLModel]:
    return row.table if isinstance(row, Row) else type(row)


def _values(row: SQLModel | Row) -> dict[str, Any]:
    kind = _kind(row)
    return key_columns.fill_keys(kind, {name: getattr(row, name) for name in _columns(kind)})
