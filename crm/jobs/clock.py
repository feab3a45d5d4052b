"""The clock for leases. Leases use the database's clock, because the clocks of several machines differ."""

import logging
from typing import Final

from db.engine import Database
from db.queries import jobs
from db.values import ids

_log = logging.getLogger("clientela.jobs")

MAX_CLOCK_SKEW_MS: Final = 2_000
"""Difference in milliseconds between this machine's clock and the database's above which a warning is logged."""


class _ClockSkew:
    """How far this machine's clock is ahead of the database's, in milliseconds, as last measured."""

    def __init__(self) -> None:
        self.milliseconds = 0


async def measure_skew(database: Database) -> int:
    """Measures by how many milliseconds this machine's clock is ahead of the database's. `database_time` then corrects
    for it."""
    before = ids.current_time()
    database_now = await jobs.database_clock(database.session(None))
    ahead = (before + ids.current_time()) // 2 - database_now
    database.component(_ClockSkew).milliseconds = ahead
    if abs(ahead) > MAX_CLOCK_SKEW_MS:
        _log.warning(
            "this machine's clock is %.1f s ahead of the database's clock; leases use the database's clock",
            ahead / 1000,
        )
    return ahead


def database_time(database: Database) -> int:
    """The current time in milliseconds by the database's clock, corrected by the last measured skew."""
    return ids.current_time() - database.component(_ClockSkew).milliseconds
