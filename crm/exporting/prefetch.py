"""Prefetches pages of a large export: they are read and written to the file before the transaction that counts them.

The next page is read while the current one is written. Whichever process continues the job overwrites pages that were
written but not counted."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crm.access.permissions import Viewer
from crm.exporting import columns, pages, snapshots
from crm.exporting.columns import ExportColumn
from crm.exporting.pages import ExportPage
from crm.files import storage
from crm.files.job_files import FILE_ID_KIND
from crm.files.writers import RowWriter
from crm.jobs.handlers import JobItem, JobTask
from db.engine import Database, Session
from db.queries.matching import targets
from db.tables.enums import FileFormat
from db.visibility import Visibility

PAGES_PER_READ: Final = 8
"""A page has this many times the rows of a chunk that changes customers, because reading is that much cheaper."""

_MAX_CACHED_EXPORTS: Final = 4


class PageRows(Sequence[JobItem]):
    """Consecutive rows of a job. It creates items only on access, because there are many and most are never used."""

    def __init__(self, first: int, ids: Sequence[bytes]) -> None:
        self.first = first
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self)[index]
        position = range(len(self.ids))[index]
        return JobItem(self.first + position, self.ids[position])


@dataclass(slots=True)
class WrittenPage:
    """A page in the file: its rows, the rows that are not visible, and the state of the file after it."""

    rows: PageRows
    missing: Sequence[JobItem]
    state: dict[str, Any]


@dataclass(slots=True)
class _Export:
    """The state of an export in this process. `together`: the customers so far are stored close together."""

    written: WrittenPage | None = None
    next: tuple[int, asyncio.Task[tuple[PageRows, ExportPage]]] | None = None
    together: bool = True


class _Exports(dict[bytes, _Export]):
    """The exports that the workers of this process are writing, by job id."""


async def write_next_page(session: Session, viewer: Viewer, task: JobTask, size: int) -> None:
    """Writes the next page to the file. Raises InputError if the target or a column no longer exists."""
    job = task.job
    after = task.state.get("after", -1)
    if "ids" not in job.target and not (path := snapshot_path(session, task)).exists():
        await snapshots.store_ids(session, viewer, job.target, job.created_at, path)
    exports = session.database.component(_Exports)
    export = exports.pop(job.id, None) or _Export()
    exports[job.id] = export
    while len(exports) > _MAX_CACHED_EXPORTS:
        discard_prefetched(session.database, next(iter(exports)))
    export_columns = await columns.choose_columns(session, task.arguments["columns"], ("columns",))
    rows, page = await _next_page(
        export, session, task, viewer.visibility, export_columns, after + 1, size * PAGES_PER_READ
    )
    if rows:
        next_first = rows.first + len(rows)
        next_page = asyncio.create_task(
            _load_page(export, session, task, viewer.visibility, export_columns, next_first, size * PAGES_PER_READ)
        )
        export.next = next_first, next_page
    state = await asyncio.to_thread(write_page, session, task, export_columns, page)
    export.written = WrittenPage(rows, missing_rows(rows, page), state)


async def _next_page(
    export: _Export,
    session: Session,
    task: JobTask,
    visibility: Visibility,
    export_columns: Sequence[ExportColumn],
    first: int,
    size: int,
) -> tuple[PageRows, ExportPage]:
    """Returns the prefetched page if it is the requested one, and reads the page otherwise."""
    prefetched, export.next = export.next, None
    if prefetched is not None and prefetched[0] == first:
        return await prefetched[1]
    if prefetched is not None:
        await _cancel(prefetched[1])
    return await _load_page(export, session, task, visibility, export_columns, first, size)


async def _load_page(
    export: _Export,
    session: Session,
    task: JobTask,
    visibility: Visibility,
    export_columns: Sequence[ExportColumn],
    first: int,
    size: int,
) -> tuple[PageRows, ExportPage]:
    rows = await next_rows(session, task, first, size)
    page = await read_page(session, rows.ids, visibility, export_columns, together=True) if export.together else None
    if page is None:
        export.together = False
        page = await read_page(session, rows.ids, visibility, export_columns)
    assert page is not None
    return rows, page


async def next_rows(session: Session, task: JobTask, first: int, size: int) -> PageRows:
    """The next customers of the job."""
    if "ids" in task.job.target:
        return PageRows(first, [row.node_id for row in await targets.next_rows(session, task.job.id, first - 1, size)])
    return PageRows(first, snapshots.read_ids(snapshot_path(session, task), first, size))


def missing_rows(rows: Sequence[JobItem], page: ExportPage) -> list[JobItem]:
    """The rows whose customers no longer exist or are not visible."""
    if len(page.ids) == len(rows):
        return []
    visible_ids = set(page.ids)
    return [row for row in rows if row.id not in visible_ids]


async def read_page(
    session: Session,
    ids: Sequence[bytes],
    visibility: Visibility,
    export_columns: Sequence[ExportColumn],
    *,
    together: bool = False,
) -> ExportPage | None:
    """Loads the data that the columns need. Returns None in the same case as `pages.read_export_page`."""
    needs = [columns.needs_of(export_column.column) for export_column in export_columns]
    names = frozenset(name for need in needs for name in need.columns)
    parts = list(dict.fromkeys(part for need in needs for part in need.parts))
    return await pages.read_export_page(
        session, [identifier for identifier in ids if identifier], visibility, names, parts, together=together
    )


def write_page(
    session: Session, task: JobTask, export_columns: Sequence[ExportColumn], page: ExportPage
) -> dict[str, Any]:
    """Appends a page to the file and returns the new state of the file."""
    writer = open_writer(session, task, [export_column.header for export_column in export_columns])
    if page.ids:
        writer.add([columns.needs_of(export_column.column).renderers(page) for export_column in export_columns])
    return writer.state


def open_writer(session: Session, task: JobTask, headers: Sequence[str]) -> RowWriter:
    """A writer that continues the file from the end that the job state records."""
    arguments = task.arguments
    return RowWriter(
        file_path(session, task)[1], FileFormat(arguments["format"]), headers,
        bom=arguments["bom"], state=task.state.get("file"),
    )  # fmt: skip


def file_path(session: Session, task: JobTask) -> tuple[str, Path]:
    """The relative and the absolute path of the file."""
    return storage.storage_of(session.database).new_path(FILE_ID_KIND, bytes.fromhex(task.arguments["file"]))


def snapshot_path(session: Session, task: JobTask) -> Path:
    """The path of the file with the ids of a large export."""
    path = file_path(session, task)[1]
    return path.with_name(path.name + ".ids")


def take_written(database: Database, task: JobTask) -> WrittenPage | None:
    """The page that `write_next_page` wrote in this process for the next chunk."""
    export = database.component(_Exports).get(task.job.id)
    page = export and export.written
    return page if page and page.rows.first == task.state.get("after", -1) + 1 else None


def discard_prefetched(database: Database, job_id: bytes) -> None:
    """Discards the prefetched page, because the job has ended or another worker has it."""
    export = database.component(_Exports).pop(job_id, None)
    if export is not None and export.next is not None:
        export.next[1].cancel()


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
