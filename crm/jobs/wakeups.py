"""Waking the workers of this process when there is something to do."""

import asyncio
from weakref import WeakKeyDictionary

from db.engine import Database

_WAITING: WeakKeyDictionary[Database, asyncio.Event] = WeakKeyDictionary()


def wakeup_event(database: Database) -> asyncio.Event:
    """What a worker of the database waits for."""
    found = _WAITING.get(database)
    if found is None:
        found = _WAITING[database] = asyncio.Event()
    return found


def wake_workers(database: Database) -> None:
    """There is a job."""
    wakeup_event(database).set()
