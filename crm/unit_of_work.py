"""The unit of work: one transaction with its author, time and reason, and the change log written at its end."""

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
from db.queries.catalogue import custom_fields
from db.tables.enums import EntityType

T = TypeVar("T")


@dataclass(slots=True)
class UnitOfWork:
    """The argument of every rule. `transaction` sees its own writes; `now` is the timestamp of everything written in
    it."""

    transaction: Transaction
    viewer: Viewer
    author: Author
    now: int
    log: PendingChanges = field(default_factory=PendingChanges)
    # Called after the commit.
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    # Values that rules have loaded and need again, by name.
    cache: dict[str, Any] = field(default_factory=dict)
    _settings: tables.Workspace | None = None
    _custom_fields: dict[EntityType, list[Any]] = field(default_factory=dict)

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
        """Clears the cached settings."""
        self._settings = None

    async def custom_fields(self, entity: EntityType) -> list[Any]:
        """The custom fields of an entity in order, including deactivated ones, read once."""
        if entity not in self._custom_fields:
            self._custom_fields.update(await custom_fields.by_entities(self.transaction, [entity]))
        return self._custom_fields[entity]

    def forget_custom_fields(self) -> None:
        """Clears the cached custom fields."""
        self._custom_fields.clear()

    def reset(self) -> None:
        """Discards everything that the rules have recorded after a rollback."""
        self.log.clear()
        self.after_commit.clear()
        self.cache.clear()
        self._settings = None
        self._custom_fields.clear()

    async def write_log(self) -> None:
        """Writes the change log as the last step before the commit."""
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
    """Runs the rule in one transaction and writes its log. Raises what the rule raises.

    A rule looks for the holder of a unique value before it writes one. If a concurrent transaction writes the value
    first, the whole rule runs again and finds it."""
    author = Author(viewer.actor_kind, viewer.actor_id or None, job_id=job_id, request_id=request_id)
    last_unit: list[Any] = []

    async def run(transaction: Transaction) -> T:
        unit = UnitOfWork(transaction, viewer, author, now)
        last_unit[:] = [unit]
        try:
            result = await rule(unit)
            await unit.write_log()
        except UniqueViolation as violation:
            raise TransactionConflict(str(violation)) from violation
        return result

    done = await database.write(viewer.workspace_id, run)
    for step in last_unit[0].after_commit:
        step()
    return done
