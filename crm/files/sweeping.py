"""Sweeping: what nobody can fetch any more, and what a killed process left behind, is removed by its age."""

import time
from pathlib import Path
from typing import Final

from crm.files import uploads
from crm.files.made import KIND as MADE
from crm.files.storage import LASTS, Storage

_DAY: Final = 24 * 3_600.0
KEPT: Final = {MADE: 2 * LASTS / 1_000, uploads.KIND: 7 * _DAY}
"""Seconds since a file was last written to: one that a job made is kept twice as long as its link is good, one that was
sent for a week."""


def sweep(kept: Storage) -> int:
    """How many files were removed."""
    now, count = time.time(), 0
    for kind, seconds in KEPT.items():
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
