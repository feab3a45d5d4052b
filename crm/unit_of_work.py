"""One act: a transaction that somebody writes in, with who, when and why, and the log that ends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crm import change_log
from crm.access.permissions import Viewer
from crm.change_log import Author, PendingChanges
from db import tables
from db.engine import Database, Transaction
from db.errors import TransactionConflict, UniqueViolation
from db.queries import workspaces

T = TypeVar("T")


@dataclass(slots=True)
class UnitOfWork:
    """What every rule is given. `work` reads what it wrote; `now` is the moment of all that is written in it."""

    transaction: Transaction
    viewer: Viewer
    author: Author
    now: int
    log: PendingChanges = field(default_factory=PendingChanges)
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
            self._settings = await workspaces.workspace_settings(self.transaction)
        assert self._settings is not None
        return self._settings

    def forget_settings(self) -> None:
        """They are read anew when they are next asked for."""
        self._settings = None

    def reset(self) -> None:
        """Nothing was done after all: what rules have noted is forgotten."""
        self.log.clear()
        self.after_commit.clear()
        self.cache.clear()
        self._settings = None

    async def write_log(self) -> None:
        """Writes the log, the last thing before the commit."""
        await change_log.write_changes(self.transaction, self.log.entries(), by=self.author, at=self.now)


async def run_unit_of_work(
    database: Database,
    viewer: Viewer,
    rule: Callable[[UnitOfWork], Awaitable[T]],
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

    async def run(transaction: Transaction) -> T:
        unit = UnitOfWork(transaction, viewer, author, now)
        performed[:] = [unit]
        try:
            done = await rule(unit)
            await unit.write_log()
        except UniqueViolation as taken:
            raise TransactionConflict(str(taken)) from taken
        return done

    done = await database.write(viewer.workspace_id, run)
    for step in performed[0].after_commit:
        step()
    return done
