<<<<<<<< HEAD:crm/files/leftovers.py
"""Leftovers: files that no row tells of, because a process was killed in between; they are known by their age."""
========
"""Leavings: files that no row tells of, of uploads and jobs whose process was killed, are removed by their age."""
>>>>>>>> files:crm/files/leavings.py

import time
from pathlib import Path
from typing import Final

from crm.files import uploads
from crm.files.made import KIND as MADE
from crm.files.storage import LASTS, Storage

_DAY: Final = 24 * 3_600.0
<<<<<<<< HEAD:crm/files/leftovers.py
KEPT: Final = {MADE: 2 * LASTS / 1_000, uploads.KIND: 14 * _DAY}
"""Seconds since a file was last written to: twice as long as its row is kept."""
========
KEPT: Final = {MADE: 2 * LASTS / 1_000, uploads.KIND: 30 * _DAY}
"""Seconds since a file was last written to: longer than any that a row tells of lies there."""
>>>>>>>> files:crm/files/leavings.py


def remove(kept: Storage) -> int:
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
