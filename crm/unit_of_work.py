"""One act: a transaction that somebody writes in, with who, when and why, and the log that ends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crm import change_log
from crm.access.permissions import Viewer
from crm.change_log import Author, Log
from db import tables
from db.engine import Database, Work
from db.errors import Contended, Taken
from db.queries import workspaces

T = TypeVar("T")


@dataclass(slots=True)
class Act:
    """What every rule is given. `work` reads what it wrote; `now` is the moment of all that is written in it."""

    work: Work
    viewer: Viewer
    author: Author
    now: int
    log: Log = field(default_factory=Log)
    # Called once the act is committed.
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    # What rules have read and need again, by a name of their own.
    cache: dict[str, Any] = field(default_factory=dict)
    _settings: tables.Workspace | None = None

    @property
    def workspace_id(self) -> int:
        return self.viewer.workspace_id

    async def settings(self) -> tables.Workspace:
        """The workspace's settings, read once."""
        if self._settings is None:
            self._settings = await workspaces.settings(self.work)
        assert self._settings is not None
        return self._settings

    def changed_settings(self) -> None:
        """They are read anew when they are next asked for."""
        self._settings = None

    def undo(self) -> None:
        """Nothing was done after all: what rules have noted is forgotten."""
        self.log.clear()
        self.after_commit.clear()
        self.cache.clear()
        self._settings = None

    async def logged(self) -> None:
        """Writes the log, the last thing before the commit."""
        await change_log.record(self.work, self.log.entries(), by=self.author, at=self.now)


async def perform(
    database: Database,
    viewer: Viewer,
    rule: Callable[[Act], Awaitable[T]],
    *,
    now: int,
    request_id: str | None = None,
    job_id: bytes | None = None,
) -> T:
    """Runs the rule in one transaction and logs what it did. Raises what the rule raises.

    A rule looks for the holder of a unique value before it writes one. Where a concurrent act was faster, the whole
    rule runs again, and finds it.
    """
    author = Author(viewer.actor_kind, viewer.actor_id or None, job_id=job_id, request_id=request_id)
    performed: list[Any] = []

    async def run(work: Work) -> T:
        act = Act(work, viewer, author, now)
        performed[:] = [act]
        try:
            done = await rule(act)
            await act.logged()
        except Taken as taken:
            raise Contended(str(taken)) from taken
        return done

    done = await database.write(viewer.workspace_id, run)
    for step in performed[0].after:
        step()
    return done
