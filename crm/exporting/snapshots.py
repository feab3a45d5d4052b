"""Whom a large export is about: the ids in list order, as they were when it started, in a file beside the export's."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

from crm.access.permissions import Viewer
from crm.change_log import Author
from crm.jobs import targets
from crm.jobs.targets import Target
from crm.unit_of_work import UnitOfWork
from db.engine import Session, Transaction
from db.queries.customers import exporting

_ID: Final = 16
_PIECE: Final = 20_000


async def find_target(session: Session, viewer: Viewer, target: Mapping[str, Any], now: int) -> Target:
    """The target as it was given. Raises InputError."""
    # A target is only read; the transaction that an act has is not needed.
    unit = UnitOfWork(cast(Transaction, session), viewer, Author(viewer.actor_kind, viewer.actor_id or None), now)
    return await targets.resolve_target(unit, target, unbounded_too=True)


async def store_ids(session: Session, viewer: Viewer, target: Mapping[str, Any], now: int, path: Path) -> None:
    """Writes the ids of all customers of the target, by one statement and piece by piece. The file is there whole or
    not at all. Raises InputError."""
    whole = await find_target(session, viewer, target, now)
    coming = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with coming.open("wb") as file:
            if whole.listing is None or whole.sort is None:
                file.write(b"".join(one.id for one in whole.items))
            else:
                async with aclosing(exporting.all_ids(session, whole.listing, whole.sort, _PIECE)) as pieces:
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, b"".join([row[0] for row in piece]))
        coming.replace(path)
    finally:
        coming.unlink(missing_ok=True)


def count_ids(path: Path) -> int:
    """How many there are."""
    return path.stat().st_size // _ID


def read_ids(path: Path, first: int, size: int) -> list[bytes]:
    """The ids of the customers from number `first` on, `size` at most."""
    with path.open("rb") as file:
        file.seek(first * _ID)
        found = file.read(size * _ID)
    return [found[start : start + _ID] for start in range(0, len(found), _ID)]
