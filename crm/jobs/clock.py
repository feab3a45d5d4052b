"""The clock of leases: the database's, for workers on several machines do not agree on the time."""

import logging
from typing import Final
from weakref import WeakKeyDictionary

from db.engine import Database
from db.queries import jobs
from db.values import ids

_log = logging.getLogger("clientela.jobs")

MAX_CLOCK_SKEW_MS: Final = 2_000
"""Milliseconds by which a machine's clock may differ from the database's without a word about it."""

_AHEAD: WeakKeyDictionary[Database, int] = WeakKeyDictionary()


async def measure_skew(database: Database) -> int:
    """By how many milliseconds this machine's clock is ahead of the database's. From now on `now` allows for it."""
    before = ids.current_time()
    theirs = await jobs.database_clock(database.session(None))
    ahead = (before + ids.current_time()) // 2 - theirs
    _AHEAD[database] = ahead
    if abs(ahead) > MAX_CLOCK_SKEW_MS:
        _log.warning(
            "this machine's clock is %.1f s ahead of the database's; leases go by the database's", ahead / 1000
        )
    return ahead


def database_time(database: Database) -> int:
    """The moment, by the database's clock as far as it was compared."""
    return ids.current_time() - _AHEAD.get(database, 0)
