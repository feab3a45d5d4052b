"""Rows that seldom change, such as a workspace's settings and fields, kept for a moment so that not every request asks
for them again."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

_MOST = 1_000


class ShortCache:
    """What statements without values found, by workspace. Whatever this process writes in a workspace ends that at
    once; what another process wrote shows after LASTING."""

    LIFETIME_SECONDS: ClassVar[float] = 1.0
    """Seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[int | None, dict[Any, tuple[float, Any]]] = {}
        self.changes = 0

    def get(self, workspace_id: int | None, statement: Any) -> Any:
        """The rows; None where they are not known, or were known too long ago."""
        until, rows = self._found.get(workspace_id, {}).get(statement, (0.0, None))
        return rows if self._clock() < until else None

    def put(self, workspace_id: int | None, statement: Any, rows: Any, *, since: int) -> None:
        """`since` is what `changes` was before the rows were read: what was read before a change is not kept after."""
        if since != self.changes:
            return
        self._found.setdefault(workspace_id, {})[statement] = (self._clock() + self.LIFETIME_SECONDS, rows)
        if len(self._found) > _MOST:
            del self._found[next(iter(self._found))]

    def invalidate(self, workspace_id: int | None) -> None:
        """Something was written there."""
        self.changes += 1
        self._found.pop(workspace_id, None)
