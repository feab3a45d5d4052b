"""Leftovers: files that no row tells of, because a process was killed in between; they are known by their age."""

import time
from pathlib import Path
from typing import Final

from crm.files import uploads
from crm.files.job_files import FILE_ID_KIND as MADE
from crm.files.storage import LINK_LIFETIME_MS, Storage

_DAY: Final = 24 * 3_600.0
ORPHAN_AGE_SECONDS: Final = {MADE: 2 * LINK_LIFETIME_MS / 1_000, uploads.UPLOAD_ID_KIND: 14 * _DAY}
"""Seconds since a file was last written to: twice as long as its row is kept."""


def remove_orphans(kept: Storage) -> int:
    """How many files were removed."""
    now, count = time.time(), 0
    for kind, seconds in ORPHAN_AGE_SECONDS.items():
        room = kept.directory / kind
        for path in room.iterdir() if room.is_dir() else ():
            if _written(path) < now - seconds:
                path.unlink(missing_ok=True)
                count += 1
    return count


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
