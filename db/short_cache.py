"""A short-lived cache of rows that rarely change, such as a workspace's settings and fields."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

_MOST = 1_000


class ShortCache:
    """The rows of statements without values, by workspace. A write of this process in a workspace invalidates its rows
    at once; writes of other processes become visible after LIFETIME_SECONDS."""

    LIFETIME_SECONDS: ClassVar[float] = 1.0
    """Seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[int | None, dict[Any, tuple[float, Any]]] = {}
        self.changes = 0

    def get(self, workspace_id: int | None, statement: Any) -> Any:
        """The rows; None if they are unknown or too old."""
        until, rows = self._found.get(workspace_id, {}).get(statement, (0.0, None))
        return rows if self._clock() < until else None

    def put(self, workspace_id: int | None, statement: Any, rows: Any, *, since: int) -> None:
        """`since` is the value of `changes` before the rows were read. Rows that were read before a change are not
        stored after it."""
        if since != self.changes:
            return
        self._found.setdefault(workspace_id, {})[statement] = (self._clock() + self.LIFETIME_SECONDS, rows)
        if len(self._found) > _MOST:
            del self._found[next(iter(self._found))]

    def invalidate(self, workspace_id: int | None) -> None:
        """Removes the rows of the workspace after a write."""
        self.changes += 1
        self._found.pop(workspace_id, None)
