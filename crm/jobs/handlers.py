"""Verbs: what a job can do to many, a chunk at a time. Each room of `crm.bulk` registers its own."""

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
"""Rows that a job changes in one transaction, at most."""


@dataclass(frozen=True, slots=True)
class JobItem:
    """A row of a job's target: its number and the record's id, empty where the caller's id was none."""

    row: int
    id: bytes


@dataclass(slots=True)
class RowResult:
    """What became of a row. `fields` is given where the log of changes does not tell it."""

    row: int
    node_id: bytes | None
    outcome: Outcome
    errors: Sequence[InputError] = ()
    fields: Sequence[Mapping[str, Any]] | None = None


@dataclass(slots=True)
class JobTask:
    """A job that is being worked on. What a verb keeps in `state` is there again in the next chunk."""

    job: Row
    arguments: Mapping[str, Any]
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def dry_run(self) -> bool:
        return bool(self.job.dry_run)

    def path(self, item: JobItem) -> Path:
        """Where the row stands in the arguments of the call."""
        argument, target, place = self._part(item)
        if "ids" not in target or self.job.retry_of:
            return (argument,)
        return (argument, "ids", target["places"][place] if "places" in target else place)

    def id_as_given(self, item: JobItem) -> str:
        """The row's id as it was given."""
        if item.id:
            return _CUSTOMER(item.id)
        _, target, place = self._part(item)
        ids = target.get("ids", ())
        return str(ids[place]) if place < len(ids) else ""

    def _part(self, item: JobItem) -> tuple[str, Mapping[str, Any], int]:
        """The argument that the row comes from, what it was, and the row's place in it."""
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
    """One of the `permissions` is asked for, again whenever a worker goes on. `read(act, task, after, size)` gives the
    next items where they are not the job's stored target. `most` rows make a chunk. `finish`, once all rows are done,
    makes the job's files, and the same when it is called again. `ahead(session, viewer, task, size)` makes ready what
    the next chunk needs, outside of any transaction. Of a `silent` one, rows that succeed are counted only. Some make
    files of what was done also where they are cancelled: `finish_cancelled`."""

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
    """Declares the function as what jobs of that kind do to a chunk."""

    def declare(chunk: HandleChunk) -> HandleChunk:
        HANDLERS[kind] = JobHandler(kind, permissions, chunk, **options)
        return chunk

    return declare


def handler_of(job: Any) -> JobHandler:
    """What the job does: for a retry, what is tried again."""
    return HANDLERS[JobKind(job.arguments["verb"])]


def has_stored_target(job: Any) -> bool:
    """Whether the rows that it works on are kept with it, and not read from a file."""
    return job.retry_of is not None or job.kind == JobKind.UNDO or handler_of(job).read_items is None


def handler_being_undone(job: Any) -> JobHandler:
    """Of an undo, what it undoes."""
    return HANDLERS[JobKind(job.arguments["given"]["verb"])]
