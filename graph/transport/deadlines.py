"""One limit on the time of much that goes on at once, and one timer for all of it: one each costs too much."""

import asyncio
from types import TracebackType
from typing import Any


class Deadlines:
    """What takes longer than `seconds` is cancelled, as asyncio.timeout does it. All have the same time, so who began
    first ends first, and only he is watched."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[Deadline, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching = False

    def started(self) -> "Deadline":
        """To be entered at once, with `with`: TimeoutError comes out of it where the time was over."""
        return Deadline(self)

    def add(self, one: "Deadline") -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # The timers of another loop, which has ended, never come.
            self._running.clear()
            self._loop, self._watching = loop, False
        one.at = loop.time() + self.seconds
        self._running[one] = None
        if not self._watching:
            self._watching = True
            loop.call_at(one.at, self._look)

    def remove(self, one: "Deadline") -> None:
        self._running.pop(one, None)

    def _look(self) -> None:
        assert self._loop is not None
        now = self._loop.time()
        while self._running:
            oldest = next(iter(self._running))
            if oldest.at > now:
                self._loop.call_at(oldest.at, self._look)
                return
            del self._running[oldest]
            oldest.expire()
        self._watching = False


class Deadline:
    """Of one task."""

    __slots__ = ("_all", "_cancelling", "_task", "at", "expired")

    def __init__(self, all_: Deadlines) -> None:
        self._all = all_
        self.at = 0.0
        self.expired = False

    def __enter__(self) -> None:
        task: asyncio.Task[Any] | None = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._all.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._all.remove(self)
        # Who was cancelled by others as well stays cancelled.
        if self.expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        self.expired = True
        self._task.cancel()
