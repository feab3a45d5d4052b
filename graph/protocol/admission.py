"""Places for operations: so many run at once, so many wait for a place, the rest is sent away at once."""

import asyncio
from collections import deque
from types import TracebackType

from graph.errors import Overloaded
from graph.limits import Limits


class Admission:
    """Held with `async with` while an operation runs. Raises Overloaded where there is no place in time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._free = limits.operations_at_once
        self._queue: deque[asyncio.Future[None]] = deque()
        self.waiting = 0
        self.running = 0

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
        else:
            await self._turn()
        self.running += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running -= 1
        self._vacate()

    async def _turn(self) -> None:
        """Waits for a place that is vacated, in the order of those who came. While somebody waits, none is free."""
        if self.waiting >= self._limits.operations_waiting:
            raise _full()
        mine = asyncio.get_running_loop().create_future()
        self._queue.append(mine)
        self.waiting += 1
        try:
            async with asyncio.timeout(self._limits.waiting_seconds):
                await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self._vacate()
            if isinstance(error, TimeoutError):
                raise _full() from None
            raise
        finally:
            self.waiting -= 1

    def _vacate(self) -> None:
        while self._queue:
            next_ = self._queue.popleft()
            if not next_.done():
                next_.set_result(None)
                return
        self._free += 1


def _full() -> Overloaded:
    return Overloaded("All places are taken. Try again in a moment.", retry_after=1)
