"""Deletes orphaned files: files without a row, left behind by a killed process. Their age identifies them."""

import time
from pathlib import Path
from typing import Final

from crm.files import uploads
from crm.files.job_files import FILE_ID_KIND as MADE
from crm.files.storage import LINK_LIFETIME_MS, Storage
from db.values.time_units import MS_PER_DAY, MS_PER_SECOND

_DAY_SECONDS: Final = MS_PER_DAY / MS_PER_SECOND
ORPHAN_AGE_SECONDS: Final = {MADE: 2 * LINK_LIFETIME_MS / 1_000, uploads.UPLOAD_ID_KIND: 14 * _DAY_SECONDS}
"""Seconds since the last write after which a file is an orphan: twice the retention of its row."""


def remove_orphans(storage: Storage) -> int:
    """Deletes the orphaned files and returns their number."""
    now, count = time.time(), 0
    for kind, seconds in ORPHAN_AGE_SECONDS.items():
        directory = storage.directory / kind
        for path in directory.iterdir() if directory.is_dir() else ():
            if _modified_at(path) < now - seconds:
                path.unlink(missing_ok=True)
                count += 1
    return count


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
