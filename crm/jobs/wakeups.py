"""Wakes the workers of this process when a job is queued."""

import asyncio

from db.engine import Database


def wakeup_event(database: Database) -> asyncio.Event:
    """The event that the workers of this database wait for."""
    return database.component(asyncio.Event)


def wake_workers(database: Database) -> None:
    """Tells the workers of this process that a job is queued."""
    wakeup_event(database).set()
