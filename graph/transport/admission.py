"""Places for operations: so many run at once, so many wait for a place, the rest is sent away at once."""

import asyncio
from types import TracebackType

from graph.errors.top_level import Overloaded
from graph.limits import Limits


class Admission:
    """Held with `async with` while an operation runs. Raises Overloaded where there is no place in time."""

    def __init__(self, limits: Limits) -> None:
        self._places = asyncio.Semaphore(limits.operations_at_once)
        self._limits = limits
        self.waiting = 0
        self.running = 0

    async def __aenter__(self) -> None:
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        self.running += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running -= 1
        self._places.release()

    async def _wait(self) -> None:
        if self.waiting >= self._limits.operations_waiting:
            raise _full()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._limits.waiting_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise _full() from None
        finally:
            self.waiting -= 1


def _full() -> Overloaded:
    return Overloaded("All places are taken. Try again in a moment.", retry_after=1)
