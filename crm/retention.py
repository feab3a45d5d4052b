"""Deletes expired data: files, job targets and rows, idempotency keys, sessions.

A row is deleted before its file, so that no row refers to a missing file. A missing file is not an error. Every
transaction is small, so that other writers can run."""

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
from db.values.time_units import MS_PER_DAY

UPLOAD_LIFETIME_MS: Final = 7 * MS_PER_DAY
"""Milliseconds for which an upload can be imported."""

JOB_TARGET_LIFETIME_MS: Final = MS_PER_DAY
"""Milliseconds after a job's end for which its target is stored."""

JOB_ROW_LIFETIME_MS: Final = undo.UNDO_WINDOW_MS
"""Milliseconds after a job's end for which the rows that failed, were skipped or were not run are stored: as long as
the job can be undone."""

_ROWS_PER_BATCH: Final = 2_000
_FILES_PER_BATCH: Final = 100


async def delete_expired(database: Database, *, now: int | None = None) -> None:
    """Deletes all expired data of all workspaces."""
    now = ids.current_time() if now is None else now
    await database.write(None, lambda transaction: retention.delete_expired_sessions(transaction, before=now))
    for workspace_id in await retention.all_workspaces(database.session(None)):
        await _delete_files(database, workspace_id, now)
        for table, lifetime in ((tables.JobTarget, JOB_TARGET_LIFETIME_MS), (tables.JobRow, JOB_ROW_LIFETIME_MS)):
            await _delete_rows(database, workspace_id, table, now - lifetime)
        await database.write(
            workspace_id,
            lambda transaction: calls.delete_expired(transaction, before=now - idempotency.ANSWER_LIFETIME_MS),
        )
    if (attached := storage.attached_storage(database)) is not None:
        await asyncio.to_thread(orphans.remove_orphans, attached)


async def _delete_rows(database: Database, workspace_id: int, table: Any, before: int) -> None:
    session = database.session(workspace_id)
    for job_id in await retention.jobs_with_rows(session, table, before=before):
        highest = await retention.highest_row(session, table, job_id)
        for below in range(_ROWS_PER_BATCH, highest + 1 + _ROWS_PER_BATCH, _ROWS_PER_BATCH):
            await database.write(
                workspace_id,
                lambda transaction, job_id=job_id, below=below: retention.delete_rows_below(
                    transaction, table, job_id, below
                ),  # type: ignore[misc]
            )


async def _delete_files(database: Database, workspace_id: int, now: int) -> None:
    session = database.session(workspace_id)
    while expired := await retention.expired_files(session, before=now, size=_FILES_PER_BATCH):
        await _delete_with_files(database, workspace_id, tables.JobFile, expired)
    paths_in_use = str(await retention.uploads_in_use(session))
    expired_uploads = await retention.expired_uploads(session, before=now - UPLOAD_LIFETIME_MS, size=_FILES_PER_BATCH)
    while deletable := [row for row in expired_uploads if row.path not in paths_in_use]:
        await _delete_with_files(database, workspace_id, tables.Upload, deletable)
        expired_uploads = await retention.expired_uploads(
            session, before=now - UPLOAD_LIFETIME_MS, size=_FILES_PER_BATCH
        )


async def _delete_with_files(database: Database, workspace_id: int, table: Any, rows: list[Any]) -> None:
    await database.write(
        workspace_id, lambda transaction: retention.delete_by_ids(transaction, table, [row.id for row in rows])
    )
    file_storage = storage.storage_of(database)
    await asyncio.to_thread(_unlink, [file_storage.path(row.path) for row in rows])


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
