"""Driver connections and handwritten SQL of the two databases."""

import asyncio
import gc
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import asyncpg

Statement = tuple[str, Sequence[Any]]

_LEAST = 1.5
"""Minimum duration of a comparison in seconds: fast statements run often."""
_MOST = 400
_WARM = 6


class DriverConnection(Protocol):
    name: str

    async def fetch(self, statement: Statement) -> list[tuple[Any, ...]]: ...

    def spelt(self, text: str) -> str:
        """Handwritten SQL for PostgreSQL, translated for this database."""

    async def close(self) -> None: ...


class PostgresqlConnection:
    name = "PostgreSQL"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        text, values = statement
        found: list[tuple[Any, ...]] = await self._connection.fetch(text, *values)
        return found

    def spelt(self, text: str) -> str:
        return text

    async def close(self) -> None:
        await self._connection.close()


class SqliteConnection:
    name = "SQLite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        text, values = statement
        return self._connection.execute(text, list(values)).fetchall()

    def spelt(self, text: str) -> str:
        for old, new in (("SELECT FROM", "SELECT 1 FROM"), ("strpos(", "instr("), (" OFFSET 0", "")):
            text = text.replace(old, new)
        return re.sub(r"\$(\d+)", r"?\1", text)

    async def close(self) -> None:
        self._connection.close()


async def open_connection(url: str) -> DriverConnection:
    """A connection with the server's settings."""
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, cached_statements=500)
        for pragma in ("cache_size = -65536", "mmap_size = 268435456", "temp_store = MEMORY", "query_only = ON"):
            connection.execute(f"PRAGMA {pragma}")
        return SqliteConnection(connection)
    settings = {"jit": "off", "random_page_cost": "1.1", "work_mem": "32MB", "statement_timeout": "120000"}
    return PostgresqlConnection(await asyncpg.connect(url, server_settings=settings))


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of each contender by round."""

    rounds: Sequence[Sequence[float]]

    def median(self, place: int) -> float:
        return median(self.rounds[place])

    def ratio(self, place: int, to: int) -> float:
        """The median ratio within a round: other load slows both contenders."""
        return median(one / other for one, other in zip(self.rounds[place], self.rounds[to], strict=True))


async def time_in_turn(side: DriverConnection, contenders: Sequence[Sequence[Statement]], rounds: int) -> Times:
    """Rounds in turn; the starting contender alternates. The first rounds plan and warm up."""
    times: list[list[float]] = [[] for _ in contenders]
    order = list(range(len(contenders)))
    gc.disable()
    began = time.perf_counter()
    for number in range(_MOST + _WARM):
        for place in order if number % 2 else reversed(order):
            times[place].append(await _time(side, contenders[place]))
        if number + 1 >= rounds + _WARM and time.perf_counter() - began > _LEAST:
            break
    gc.enable()
    await asyncio.sleep(0)
    return Times([one[_WARM:] for one in times])


async def _time(side: DriverConnection, statements: Sequence[Statement]) -> float:
    started = time.perf_counter()
    for statement in statements:
        await side.fetch(statement)
    return 1000 * (time.perf_counter() - started)
