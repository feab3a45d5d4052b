"""The customers of a large export: their ids in list order as of the start of the job, in a file beside the export."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from crm.access.permissions import Viewer
from crm.jobs import targets
from crm.jobs.targets import Target
from db.engine import Session
from db.queries.customers import exporting

_ID_BYTES: Final = 16
_IDS_PER_BATCH: Final = 20_000


async def find_target(session: Session, viewer: Viewer, target: Mapping[str, Any], now: int) -> Target:
    """Resolves the target. Raises InputError."""
    return await targets.resolve_target(targets.TargetReader(session, viewer, now), target, unbounded_too=True)


async def store_ids(session: Session, viewer: Viewer, target: Mapping[str, Any], now: int, path: Path) -> None:
    """Writes the ids of all customers of the target to a file, with one statement and in batches. The file appears only
    when it is complete. Raises InputError."""
    resolved_target = await find_target(session, viewer, target, now)
    temporary_path = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with temporary_path.open("wb") as file:
            if resolved_target.listing is None or resolved_target.sort is None:
                file.write(b"".join(item.id for item in resolved_target.items))
            else:
                async with aclosing(
                    exporting.all_ids(session, resolved_target.listing, resolved_target.sort, _IDS_PER_BATCH)
                ) as batches:
                    async for batch in batches:
                        await asyncio.to_thread(file.write, b"".join([row[0] for row in batch]))
        temporary_path.replace(path)
    finally:
        temporary_path.unlink(missing_ok=True)


def count_ids(path: Path) -> int:
    """The number of ids."""
    return path.stat().st_size // _ID_BYTES


def read_ids(path: Path, first: int, size: int) -> list[bytes]:
    """At most `size` ids, starting at index `first`."""
    with path.open("rb") as file:
        file.seek(first * _ID_BYTES)
        data = file.read(size * _ID_BYTES)
    return [data[start : start + _ID_BYTES] for start in range(0, len(data), _ID_BYTES)]
