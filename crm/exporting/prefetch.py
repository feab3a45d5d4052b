"""Pages of a large export, made ready before the transaction that counts them: read, and written to the file.

While one page is written the next is read. What a process has written and not counted is written over by whoever goes
on with the job.
"""

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
from db.engine import Session
from db.queries.matching import targets
from db.tables.enums import FileFormat
from db.visibility import Visibility

PAGES_PER_READ: Final = 8
"""A page is so many times as long as a chunk of customers who are changed: reading is that much cheaper."""

_MOST: Final = 4


class PageRows(Sequence[JobItem]):
    """Rows of a job that follow each other. There are many, and of most nothing is asked."""

    def __init__(self, first: int, ids: Sequence[bytes]) -> None:
        self.first = first
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return list(self)[place]
        number = range(len(self.ids))[place]
        return JobItem(self.first + number, self.ids[number])


@dataclass(slots=True)
class WrittenPage:
    """A page that is in the file: its rows, those of them who are not in sight, and the state of the file behind it."""

    rows: PageRows
    missing: Sequence[JobItem]
    state: dict[str, Any]


@dataclass(slots=True)
class _Export:
    """What this process knows of an export that it works on. `together`: its customers lie side by side, so far."""

    written: WrittenPage | None = None
    next: tuple[int, asyncio.Task[tuple[PageRows, ExportPage]]] | None = None
    together: bool = True


_EXPORTS: dict[bytes, _Export] = {}


async def write_next_page(session: Session, viewer: Viewer, task: JobTask, size: int) -> None:
    """The next page, in the file. Raises InputError where the target or a column is not there any more."""
    job = task.job
    after = task.state.get("after", -1)
    if "ids" not in job.target and not (path := snapshot_path(session, task)).exists():
        await snapshots.store_ids(session, viewer, job.target, job.created_at, path)
    export = _EXPORTS.pop(job.id, None) or _Export()
    _EXPORTS[job.id] = export
    while len(_EXPORTS) > _MOST:
        discard_prefetched(next(iter(_EXPORTS)))
    chosen = await columns.choose_columns(session, task.arguments["columns"], ("columns",))
    rows, page = await _read(export, session, task, viewer.visibility, chosen, after + 1, size * PAGES_PER_READ)
    if rows:
        follows = rows.first + len(rows)
        following = asyncio.create_task(
            _page(export, session, task, viewer.visibility, chosen, follows, size * PAGES_PER_READ)
        )
        export.next = follows, following
    state = await asyncio.to_thread(write_page, session, task, chosen, page)
    export.written = WrittenPage(rows, missing_rows(rows, page), state)


async def _read(
    export: _Export,
    session: Session,
    task: JobTask,
    visibility: Visibility,
    chosen: Sequence[ExportColumn],
    first: int,
    size: int,
) -> tuple[PageRows, ExportPage]:
    """The page that was asked for while the last was written, where it is that one."""
    waiting, export.next = export.next, None
    if waiting is not None and waiting[0] == first:
        return await waiting[1]
    if waiting is not None:
        await _leave(waiting[1])
    return await _page(export, session, task, visibility, chosen, first, size)


async def _page(
    export: _Export,
    session: Session,
    task: JobTask,
    visibility: Visibility,
    chosen: Sequence[ExportColumn],
    first: int,
    size: int,
) -> tuple[PageRows, ExportPage]:
    rows = await next_rows(session, task, first, size)
    page = await read_page(session, rows.ids, visibility, chosen, together=True) if export.together else None
    if page is None:
        export.together = False
        page = await read_page(session, rows.ids, visibility, chosen)
    assert page is not None
    return rows, page


async def next_rows(session: Session, task: JobTask, first: int, size: int) -> PageRows:
    """The next customers of the job."""
    if "ids" in task.job.target:
        return PageRows(first, [row.node_id for row in await targets.next_rows(session, task.job.id, first - 1, size)])
    return PageRows(first, snapshots.read_ids(snapshot_path(session, task), first, size))


def missing_rows(rows: Sequence[JobItem], page: ExportPage) -> list[JobItem]:
    """Those who are not there any more, or not in sight."""
    if len(page.ids) == len(rows):
        return []
    found = set(page.ids)
    return [one for one in rows if one.id not in found]


async def read_page(
    session: Session,
    ids: Sequence[bytes],
    visibility: Visibility,
    chosen: Sequence[ExportColumn],
    *,
    together: bool = False,
) -> ExportPage | None:
    """What the columns need of the customers; None as `pages.read` says."""
    needs = [columns.needs_of(one.column) for one in chosen]
    names = frozenset(name for one in needs for name in one.columns)
    parts = list(dict.fromkeys(part for one in needs for part in one.parts))
    return await pages.read_export_page(
        session, [one for one in ids if one], visibility, names, parts, together=together
    )


def write_page(session: Session, task: JobTask, chosen: Sequence[ExportColumn], page: ExportPage) -> dict[str, Any]:
    """Adds a page to the file; returns the state that this leaves it in."""
    writer = open_writer(session, task, [one.header for one in chosen])
    if page.ids:
        writer.add([columns.needs_of(one.column).renderers(page) for one in chosen])
    return writer.state


def open_writer(session: Session, task: JobTask, headers: Sequence[str]) -> RowWriter:
    """The file, gone on with from where the job says it ends."""
    arguments = task.arguments
    return RowWriter(
        file_path(session, task)[1], FileFormat(arguments["format"]), headers,
        bom=arguments["bom"], state=task.state.get("file"),
    )  # fmt: skip


def file_path(session: Session, task: JobTask) -> tuple[str, Path]:
    """Where the file lies."""
    return storage.storage_of(session.database).new_path(FILE_ID_KIND, bytes.fromhex(task.arguments["file"]))


def snapshot_path(session: Session, task: JobTask) -> Path:
    """Where the ids of a large export wait."""
    path = file_path(session, task)[1]
    return path.with_name(path.name + ".ids")


def take_written(task: JobTask) -> WrittenPage | None:
    """The page that `make` made for the chunk that comes next in this process."""
    export = _EXPORTS.get(task.job.id)
    found = export and export.written
    return found if found and found.rows.first == task.state.get("after", -1) + 1 else None


def discard_prefetched(job_id: bytes) -> None:
    """The job is over, or another's."""
    export = _EXPORTS.pop(job_id, None)
    if export is not None and export.next is not None:
        export.next[1].cancel()


async def _leave(session: asyncio.Task[Any]) -> None:
    session.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await session
