"""A time limit shared by many tasks, with one timer for all of them, because a timer for each task costs too much."""

import asyncio
from types import TracebackType
from typing import Any


class SharedTimeout:
    """Cancels each scope that takes longer than `seconds`, as asyncio.timeout does.

    All scopes last equally long, so they expire in the order in which they start, and only the oldest is watched.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._scopes: dict[TimeoutScope, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_timer_set = False

    def scope(self) -> "TimeoutScope":
        """A scope to enter at once with `with`. It raises TimeoutError if the time runs out."""
        return TimeoutScope(self)

    def add(self, scope: "TimeoutScope") -> None:
        """Called by a scope that is entered."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # The timers of an earlier loop never fire, because that loop has ended.
            self._scopes.clear()
            self._loop, self._is_timer_set = loop, False
        scope.expires_at = loop.time() + self.seconds
        self._scopes[scope] = None
        if not self._is_timer_set:
            self._is_timer_set = True
            loop.call_at(scope.expires_at, self._expire_scopes)

    def remove(self, scope: "TimeoutScope") -> None:
        """Called by a scope that is left."""
        self._scopes.pop(scope, None)

    def _expire_scopes(self) -> None:
        assert self._loop is not None
        now = self._loop.time()
        while self._scopes:
            oldest = next(iter(self._scopes))
            if oldest.expires_at > now:
                self._loop.call_at(oldest.expires_at, self._expire_scopes)
                return
            del self._scopes[oldest]
            oldest.expire()
        self._is_timer_set = False


class TimeoutScope:
    """The time limit of one task."""

    __slots__ = ("_cancelling", "_shared", "_task", "expires_at", "has_expired")

    def __init__(self, shared: SharedTimeout) -> None:
        self._shared = shared
        self.expires_at = 0.0
        self.has_expired = False

    def __enter__(self) -> None:
        task: asyncio.Task[Any] | None = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._shared.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._shared.remove(self)
        # A task that was also cancelled from elsewhere stays cancelled.
        if self.has_expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """Cancels the task."""
        self.has_expired = True
        self._task.cancel()
