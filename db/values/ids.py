"""Ids: UUIDv7 (RFC 9562), sixteen bytes that sort by creation time."""

import os
import threading
import time


def current_time() -> int:
    """The current time in milliseconds since 1970-01-01 UTC, the unit of every stored time."""
    return time.time_ns() // 1_000_000


def id_at(moment: int, randomness: bytes | None = None) -> bytes:
    """An id with the time part `moment` (milliseconds). Ten bytes of `randomness` make it reproducible."""
    tail = bytearray(randomness or os.urandom(10))
    tail[0] = (tail[0] & 0x0F) | 0x70
    tail[2] = (tail[2] & 0x3F) | 0x80
    return moment.to_bytes(6, "big") + bytes(tail)


class _Maker:
    """Creates increasing ids: within one millisecond the random part is incremented (RFC 9562, 6.2, method 2)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> bytes:
        with self._lock:
            made = int.from_bytes(id_at(current_time()), "big")
            if made <= self._last:
                made = self._last + _STEP
            self._last = made
            return made.to_bytes(16, "big")


# Large enough to make neighbours unguessable, small enough to stay within a millisecond.
_STEP = 1 << 20

new_id = _Maker()
"""Creates an id for a new record, greater than every id that this process created before."""


def id_time(identifier: bytes) -> int:
    """The creation time of the id in milliseconds: the record's `created_at`."""
    return int.from_bytes(identifier[:6], "big")
