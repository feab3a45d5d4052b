"""Job handlers: what a job does to a chunk of rows. Each module of `crm.bulk` registers its own handlers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm.access.permissions import Viewer
from crm.errors import InputError, Path
from crm.unit_of_work import UnitOfWork
from db.engine import Session
from db.rows import Row
from db.tables.enums import JobKind, Outcome, Permission
from db.values import wire_format

MAX_CHUNK_ROWS: Final = 1_000
"""Maximum number of rows that a job changes in one transaction."""


@dataclass(frozen=True, slots=True)
class JobItem:
    """A row of a job's target: its number and the record's id. The id is empty if the caller's id is not a valid id."""

    row: int
    id: bytes


@dataclass(slots=True)
class RowResult:
    """The result of a row. `fields` is set if the change log does not contain the row's changes."""

    row: int
    node_id: bytes | None
    outcome: Outcome
    errors: Sequence[InputError] = ()
    fields: Sequence[Mapping[str, Any]] | None = None


@dataclass(slots=True)
class JobTask:
    """A job that is being executed. Values that a handler stores in `state` are available in the next chunk."""

    job: Row
    arguments: Mapping[str, Any]
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def dry_run(self) -> bool:
        return bool(self.job.dry_run)

    def path(self, item: JobItem) -> Path:
        """The path of the row in the arguments of the call."""
        argument, target, index = self._part(item)
        if "ids" not in target or self.job.retry_of:
            return (argument,)
        return (argument, "ids", target["places"][index] if "places" in target else index)

    def id_as_given(self, item: JobItem) -> str:
        """The row's id as the caller gave it."""
        if item.id:
            return _CUSTOMER(item.id)
        _, target, index = self._part(item)
        ids = target.get("ids", ())
        return str(ids[index]) if index < len(ids) else ""

    def _part(self, item: JobItem) -> tuple[str, Mapping[str, Any], int]:
        """The argument that the row comes from, its value, and the row's index in it."""
        target = self.job.target or {}
        if "add" not in target:
            return "target", target, item.row
        adding = self.arguments["adding"]
        if item.row < adding:
            return "add", target["add"], item.row
        return "remove", target["remove"], item.row - adding


_CUSTOMER = wire_format.id_encoder("Customer")

HandleChunk = Callable[[UnitOfWork, JobTask, Sequence[JobItem]], Awaitable[list[RowResult]]]
ReadItems = Callable[[UnitOfWork, JobTask, int, int], Awaitable[Sequence[JobItem]]]
FinishJob = Callable[[Session, JobTask], Awaitable[list[Row]]]
PrepareChunk = Callable[[Session, Viewer, JobTask, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobHandler:
    """What jobs of one kind do, and with which options.

    The viewer needs one of the `permissions`; the worker checks them again for every chunk. `read_items(unit, task,
    after, size)` returns the next items if the job has no stored target. A chunk has at most `max_chunk_rows` rows.
    `finish_job` creates the job's files after the last row; it returns the same files if it is called again. With
    `finishes_when_cancelled`, cancelled jobs also get their files. `prepare_chunk(session, viewer, task, size)`
    prepares the next chunk outside of any transaction. With `counts_successes_only`, successful rows are counted but
    not stored."""

    kind: JobKind
    permissions: tuple[Permission, ...]
    handle_chunk: HandleChunk
    is_undoable: bool = True
    read_items: ReadItems | None = None
    max_chunk_rows: int = MAX_CHUNK_ROWS
    entity: str = "Customer"
    finish_job: FinishJob | None = None
    finishes_when_cancelled: bool = False
    prepare_chunk: PrepareChunk | None = None
    counts_successes_only: bool = False

    def is_allowed_for(self, viewer: Viewer) -> bool:
        return any(map(viewer.has_permission, self.permissions))


HANDLERS: Final[dict[JobKind, JobHandler]] = {}


def job_handler(kind: JobKind, *permissions: Permission, **options: Any) -> Callable[[HandleChunk], HandleChunk]:
    """Registers the function as the handler of jobs of that kind."""

    def declare(handle_chunk: HandleChunk) -> HandleChunk:
        HANDLERS[kind] = JobHandler(kind, permissions, handle_chunk, **options)
        return handle_chunk

    return declare


def handler_of(job: Any) -> JobHandler:
    """The handler of the job; for a retry, the handler of the retried job."""
    return HANDLERS[JobKind(job.arguments["verb"])]


def has_stored_target(job: Any) -> bool:
    """Whether the rows are stored with the job, and are not read from a file."""
    return job.retry_of is not None or job.kind == JobKind.UNDO or handler_of(job).read_items is None
