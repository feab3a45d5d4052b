"""PostgreSQL through asyncpg: the pool, one connection's verbs, its errors in the words of db.errors."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import orjson

from db.errors import Contended, StorageError, TookTooLong, Unavailable, constraint
from db.reading import POSTGRESQL, Prepared

DIALECT = POSTGRESQL

# Seconds. A lock is given up sooner than a statement, so that a blocked writer answers before it is abandoned.
STATEMENT_TIMEOUT = 5
LOCK_TIMEOUT = 3
CONNECT_TIMEOUT = 3


class Connection:
    """One connection: statements go straight to the driver."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def fetch(self, statement: Prepared[Any], values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        compiled = statement.on(DIALECT)
        text, arguments = compiled.bind(values)
        with _translated():
            return text, await self._driver.fetch(text, *arguments, record_class=compiled.row)

    async def execute(self, statement: Prepared[Any], values: Mapping[str, Any]) -> tuple[str, int]:
        text, arguments = statement.on(DIALECT).bind(values)
        with _translated():
            status: str = await self._driver.execute(text, *arguments)
        return text, int(status.rsplit(" ", 1)[-1])

    async def execute_many(self, statement: Prepared[Any], many: Sequence[Mapping[str, Any]]) -> str:
        compiled = statement.on(DIALECT)
        bound = [compiled.bind(values) for values in many]
        with _translated():
            await self._driver.executemany(bound[0][0], [arguments for _, arguments in bound])
        return bound[0][0]

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> str:
        with _translated():
            await self._driver.copy_records_to_table(table, columns=list(columns), records=records)
        return f"COPY {table}"

    async def script(self, text: str) -> None:
        """Text without values: BEGIN, COMMIT, SET."""
        with _translated():
            await self._driver.execute(text)


class Pool:
    """Connections that are made when first needed and given back as they are: no statement is sent between uses."""

    begin = "BEGIN"

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, size: int, statement_timeout: float = STATEMENT_TIMEOUT) -> "Pool":
        """Raises Unavailable when the server does not answer within CONNECT_TIMEOUT seconds."""
        with _translated():
            pool = await asyncpg.create_pool(
                url,
                min_size=0,
                max_size=size,
                max_inactive_connection_lifetime=300,
                statement_cache_size=500,
                timeout=CONNECT_TIMEOUT,
                init=_codecs,
                reset=_nothing,
                server_settings={
                    "application_name": "clientela",
                    "statement_timeout": str(int(statement_timeout * 1000)),
                    "lock_timeout": str(LOCK_TIMEOUT * 1000),
                    "jit": "off",
                },
            )
        return cls(pool)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        with _translated():
            driver = await self._pool.acquire(timeout=CONNECT_TIMEOUT)
        try:
            yield Connection(driver)
        finally:
            await self._pool.release(driver)

    writing = reading

    async def close(self) -> None:
        await self._pool.close()


async def _codecs(driver: Any) -> None:
    await driver.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


async def _nothing(driver: Any) -> None:
    """Sessions hold no state between uses, so there is nothing to reset."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from error
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise Contended(str(error)) from error
    except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
        raise TookTooLong(str(error)) from error
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
    from db.constraints import taken  # Imported late: it reads every table.

    return taken(constraint(error.constraint_name))
