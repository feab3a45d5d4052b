"""The engine room: databases, sessions, transactions, retries."""

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

# A transaction that lost a race is run again this often, after a pause that grows and differs between the losers.
MAX_TRANSACTION_ATTEMPTS = 8
_PAUSE = 0.01

# Rows up to this many go in by one prepared statement; more are copied.
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
    """What queries are asked through. Every statement is bound to one workspace (None: the tables beside them).

    `columns` are those that the caller needs of the rows he is handed; `pruned` tells whether he was given no others.
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
        """The rows found, light ones that read like the tables' classes."""
        return await self._rows(statement, None, values)

    async def fetch_pruned(self, statement: PreparedStatement[T], **values: Any) -> list[T]:
        """The same for rows that a query hands over as they are: with the columns that its caller needs, and the id."""
        self.pruned = self.columns is not None
        return await self._rows(statement, self.columns, values)

    async def _rows(self, statement: PreparedStatement[T], columns: ColumnNames, values: dict[str, Any]) -> list[T]:
        values["workspace_id"] = self.workspace_id
        text, found = await self._fetch(statement, values, columns)
        if Database.observers:
            self.database.notify_observers(text)
        return found

    async def fetch_first(self, statement: PreparedStatement[T], **values: Any) -> T | None:
        """The first row found, if there is one."""
        found = await self.fetch_all(statement, **values)
        return found[0] if found else None

    async def fetch_cached(self, statement: PreparedStatement[T]) -> list[T]:
        """The rows found by a statement without values, as they were a moment ago at most: for what seldom changes.
        What this process wrote is in them."""
        settled = self.database.short_cache
        found = cast(list[T] | None, settled.get(self.workspace_id, statement))
        if found is None:
            since = settled.changes
            found = await self.fetch_all(statement)
            settled.put(self.workspace_id, statement, found, since=since)
        return found

    async def stream(self, statement: PreparedStatement[T], size: int, **values: Any) -> AsyncGenerator[list[T]]:
        """The rows found, `size` at a time, all of them as they are at the beginning: for more than memory should
        hold. It keeps a connection until it ends; close it where it is left before."""
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
    """A session inside one transaction: it reads what it wrote, and all of it is kept or none."""

    def __init__(self, database: "Database", workspace_id: int | None, connection: _Connection) -> None:
        super().__init__(database, workspace_id)
        self._held = connection

    async def fetch_cached(self, statement: PreparedStatement[T]) -> list[T]:
        """As they are in this transaction."""
        return await self.fetch_all(statement)

    def _fetch(
        self, statement: PreparedStatement[Any], values: dict[str, Any], columns: ColumnNames
    ) -> Coroutine[Any, Any, tuple[str, list[Any]]]:
        return self._held.fetch(statement, values, columns)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        yield self._held

    async def execute(self, statement: PreparedStatement[Any], **values: Any) -> int:
        """Runs a statement that writes; returns how many rows it touched."""
        text, count = await self._held.execute(statement, {"workspace_id": self.workspace_id, **values})
        self.database.notify_observers(text)
        return count

    async def execute_many(self, statement: PreparedStatement[Any], many: Sequence[Mapping[str, Any]]) -> None:
        """Runs a statement that writes once for each set of values, in one round trip."""
        bound = [{"workspace_id": self.workspace_id, **values} for values in many]
        if bound:
            self.database.notify_observers(await self._held.execute_many(statement, bound))

    async def insert(self, *rows: SQLModel | Row) -> None:
        """Adds rows of one table, with one statement however many. Raises Taken when a unique value is held."""
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
        """What is written within is undone where it raises, and what was written before is kept."""
        await self._held.script("SAVEPOINT part")
        try:
            yield
        except BaseException:
            # It stays where it is only rolled back to, and would be taken for the one around it.
            await self._held.script("ROLLBACK TO SAVEPOINT part")
            await self._held.script("RELEASE SAVEPOINT part")
            raise
        await self._held.script("RELEASE SAVEPOINT part")

    async def copy(self, table: type[SQLModel], columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
        """Adds many rows by the fastest way the database has. `records` match `columns` in order."""
        columns, records = key_columns.complete_records(table, columns, records)
        self.database.notify_observers(await self._held.copy(str(table.__tablename__), columns, records))


class Database:
    """A database that is open: its pool, and the two ways in, reading and writing."""

    # Called with the text of every statement that any database of this process sends: how tests count and read them.
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
        """A session for reading: each statement takes a connection for as long as it runs."""
        return Session(self, workspace_id, columns)

    async def write(self, workspace_id: int | None, rule: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `rule` in one transaction and commits. A transaction that lost a race is run again from its start,
        so a rule keeps nothing between runs. Raises what the rule raises, Contended after ATTEMPTS, Unavailable."""
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
        """One transaction, once: for what cannot simply be run again. Prefer `write`."""
        async with self.pool.writing() as connection:
            try:
                await connection.script(self.pool.begin)
            except asyncio.CancelledError:
                # It may have begun all the same.
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

    Each driver is imported late, for a process has one database.
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
    """A transaction that cannot even be undone is undone by the database when its connection goes."""
    try:
        await asyncio.shield(connection.script("ROLLBACK"))
    except Unavailable:
        return


@cache
def _columns(table: type[SQLModel]) -> Sequence[str]:
    return tuple(SQLModel.metadata.tables[str(table.__tablename__)].columns.keys())


@cache
def _record(table: type[SQLModel]) -> Callable[[Any], Sequence[Any]]:
    """How a row becomes a record to be copied."""
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
