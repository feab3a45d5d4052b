"""Sweeping out what has run out: files, what jobs worked on, keys of callers, sessions.

A row goes before its file, so that nothing is offered that is not there; a file that is not there any more is no
hindrance. Every transaction is small, for others write meanwhile.
"""

import asyncio
from pathlib import Path
from typing import Any, Final

from crm import idempotency
from crm.files import orphans, storage
from crm.jobs import undo
from db import tables
from db.engine import Database
from db.queries import idempotency as calls
from db.queries import retention
from db.values import ids

_DAY: Final = 24 * 60 * 60 * 1000
UPLOAD_LIFETIME_MS: Final = 7 * _DAY
"""Milliseconds for which an upload waits to be imported."""

JOB_TARGET_LIFETIME_MS: Final = _DAY
"""Milliseconds for which it is kept whom a job was about, after its end."""

JOB_ROW_LIFETIME_MS: Final = undo.UNDO_WINDOW_MS
"""The same for rows that failed, were skipped or not done at all: for as long as the job can be undone."""

_PORTION: Final = 2_000
_FILES: Final = 100


async def delete_expired(database: Database, *, now: int | None = None) -> None:
    """All that has run out by now."""
    now = ids.current_time() if now is None else now
    await database.write(None, lambda transaction: retention.delete_expired_sessions(transaction, before=now))
    for workspace_id in await retention.all_workspaces(database.session(None)):
        await _files(database, workspace_id, now)
        for table, kept in ((tables.JobTarget, JOB_TARGET_LIFETIME_MS), (tables.JobRow, JOB_ROW_LIFETIME_MS)):
            await _rows(database, workspace_id, table, now - kept)
        await database.write(
            workspace_id,
            lambda transaction: calls.delete_expired(transaction, before=now - idempotency.ANSWER_LIFETIME_MS),
        )
    if (room := storage.attached_storage(database)) is not None:
        await asyncio.to_thread(orphans.remove_orphans, room)


async def _rows(database: Database, workspace_id: int, table: Any, before: int) -> None:
    session = database.session(workspace_id)
    for job_id in await retention.jobs_with_rows(session, table, before=before):
        highest = await retention.highest_row(session, table, job_id)
        for below in range(_PORTION, highest + 1 + _PORTION, _PORTION):
            await database.write(
                workspace_id,
                lambda transaction, job_id=job_id, below=below: retention.delete_rows_below(
                    transaction, table, job_id, below
                ),  # type: ignore[misc]
            )


async def _files(database: Database, workspace_id: int, now: int) -> None:
    session = database.session(workspace_id)
    while expired := await retention.expired_files(session, before=now, size=_FILES):
        await _remove(database, workspace_id, tables.JobFile, expired)
    busy = str(await retention.uploads_in_use(session))
    old = await retention.expired_uploads(session, before=now - UPLOAD_LIFETIME_MS, size=_FILES)
    while free := [row for row in old if row.path not in busy]:
        await _remove(database, workspace_id, tables.Upload, free)
        old = await retention.expired_uploads(session, before=now - UPLOAD_LIFETIME_MS, size=_FILES)


async def _remove(database: Database, workspace_id: int, table: Any, rows: list[Any]) -> None:
    await database.write(
        workspace_id, lambda transaction: retention.delete_by_ids(transaction, table, [row.id for row in rows])
    )
    kept = storage.storage_of(database)
    await asyncio.to_thread(_unlink, [kept.path(row.path) for row in rows])


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
