"""Finds and deletes expired data."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, select
from sqlmodel import col

from db import tables
from db.engine import Session, Transaction
from db.statements import any_of, in_workspace, prepare
from db.tables.column_types import Moment
from db.tables.enums import JobKind

_JOB = tables.Job
_BEFORE = bindparam("before", type_=Moment)

_WORKSPACES = prepare(select(col(tables.Directory.workspace_id)).order_by(col(tables.Directory.workspace_id)))
_SESSIONS = prepare(delete(tables.SignIn).where(col(tables.SignIn.expires_at) <= _BEFORE))
_UPLOADS = prepare(
    select(tables.Upload)
    .where(in_workspace(tables.Upload), col(tables.Upload.created_at) < _BEFORE)
    .order_by(col(tables.Upload.created_at))
    .limit(bindparam("size"))
)
_READING = prepare(
    select(col(_JOB.arguments)).where(
        in_workspace(_JOB), col(_JOB.finished_at).is_(None), col(_JOB.kind) == int(JobKind.IMPORT)
    )
)
_FILES = prepare(
    select(tables.JobFile)
    .where(in_workspace(tables.JobFile), col(tables.JobFile.expires_at) < _BEFORE)
    .order_by(col(tables.JobFile.id))
    .limit(bindparam("size"))
)
_KEPT: dict[Any, Any] = {
    table: prepare(
        select(col(_JOB.id))
        .where(
            in_workspace(_JOB),
            col(_JOB.finished_at) < _BEFORE,
            exists().where(in_workspace(table), col(table.job_id) == _JOB.id),
        )
        .order_by(col(_JOB.id))
    )
    for table in (tables.JobTarget, tables.JobRow)
}
_HIGHEST: dict[Any, Any] = {
    table: prepare(
        select(func.max(col(table.row)).label("row")).where(in_workspace(table), col(table.job_id) == bindparam("of"))
    )
    for table in _KEPT
}
_ROWS: dict[Any, Any] = {
    table: prepare(
        delete(table).where(
            in_workspace(table), col(table.job_id) == bindparam("of"), col(table.row) < bindparam("below")
        )
    )
    for table in _KEPT
}
_REMOVED: dict[Any, Any] = {
    table: prepare(delete(table).where(in_workspace(table), any_of(table.id, "ids")))
    for table in (tables.Upload, tables.JobFile)
}


async def all_workspaces(session: Session) -> list[int]:
    """The numbers of all workspaces of the server."""
    return [row.workspace_id for row in await session.fetch_all(_WORKSPACES)]


async def delete_expired_sessions(transaction: Transaction, *, before: int) -> int:
    """Deletes the sessions of all workspaces that ended before that time. Returns their number."""
    return await transaction.execute(_SESSIONS, before=before)


async def expired_uploads(session: Session, *, before: int, size: int) -> list[Any]:
    """The uploads before that time, oldest first."""
    return await session.fetch_all(_UPLOADS, before=before, size=size)


async def uploads_in_use(session: Session) -> list[Any]:
    """The arguments of the imports that have not ended."""
    return [row.arguments for row in await session.fetch_all(_READING)]


async def expired_files(session: Session, *, before: int, size: int) -> list[Any]:
    """The job files whose links expired before that time."""
    return await session.fetch_all(_FILES, before=before, size=size)


async def delete_by_ids(transaction: Transaction, table: Any, ids: Sequence[bytes]) -> None:
    await transaction.execute(_REMOVED[table], ids=ids)


async def jobs_with_rows(session: Session, table: Any, *, before: int) -> list[bytes]:
    """The jobs that ended before that time and still have rows in a table."""
    return [row.id for row in await session.fetch_all(_KEPT[table], before=before)]


async def highest_row(session: Session, table: Any, job_id: bytes) -> int:
    """The number of the last stored row; -1 if there is none."""
    found = (await session.fetch_all(_HIGHEST[table], of=job_id))[0].row
    return -1 if found is None else int(found)


async def delete_rows_below(transaction: Transaction, table: Any, job_id: bytes, below: int) -> None:
    """Deletes the rows with lower numbers."""
    await transaction.execute(_ROWS[table], of=job_id, below=below)
