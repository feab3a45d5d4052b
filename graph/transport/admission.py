"""Admission control: bounds how many operations run and how many wait."""

import asyncio
from types import TracebackType

from graph.errors.top_level import Overloaded
from graph.limits import Limits


class Admission:
    """A slot for an operation: `async with` it while the operation runs.

    Raises Overloaded if too many operations wait already, or if no slot becomes free in time.
    """

    def __init__(self, limits: Limits) -> None:
        self._slots = asyncio.Semaphore(limits.running_operations)
        self._limits = limits
        self.waiting_count = 0
        self.running_count = 0

    async def __aenter__(self) -> None:
        if self._slots.locked():
            await self._wait_for_slot()
        else:
            await self._slots.acquire()
        self.running_count += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running_count -= 1
        self._slots.release()

    async def _wait_for_slot(self) -> None:
        if self.waiting_count >= self._limits.waiting_operations:
            raise _overloaded()
        self.waiting_count += 1
        try:
            async with asyncio.timeout(self._limits.waiting_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise _overloaded() from None
        finally:
            self.waiting_count -= 1


def _overloaded() -> Overloaded:
    return Overloaded("The server is busy. Try again in a moment.", retry_after=1)
