"""What has run out: found, and removed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, select
from sqlmodel import col

from db import tables
from db.engine import Session, Work
from db.statements import among, here, prepared
from db.tables.column_types import Moment
from db.tables.enums import JobKind

_JOB = tables.Job
_BEFORE = bindparam("before", type_=Moment)

_WORKSPACES = prepared(select(col(tables.Directory.workspace_id)).order_by(col(tables.Directory.workspace_id)))
_SESSIONS = prepared(delete(tables.SignIn).where(col(tables.SignIn.expires_at) <= _BEFORE))
_UPLOADS = prepared(
    select(tables.Upload)
    .where(here(tables.Upload), col(tables.Upload.created_at) < _BEFORE)
    .order_by(col(tables.Upload.created_at))
    .limit(bindparam("size"))
)
_READING = prepared(
    select(col(_JOB.arguments)).where(
        here(_JOB), col(_JOB.finished_at).is_(None), col(_JOB.kind) == int(JobKind.IMPORT)
    )
)
_FILES = prepared(
    select(tables.JobFile)
    .where(here(tables.JobFile), col(tables.JobFile.expires_at) < _BEFORE)
    .order_by(col(tables.JobFile.id))
    .limit(bindparam("size"))
)
_KEPT: dict[Any, Any] = {
    table: prepared(
        select(col(_JOB.id))
        .where(
            here(_JOB),
            col(_JOB.finished_at) < _BEFORE,
            exists().where(here(table), col(table.job_id) == _JOB.id),
        )
        .order_by(col(_JOB.id))
    )
    for table in (tables.JobTarget, tables.JobRow)
}
_HIGHEST: dict[Any, Any] = {
    table: prepared(
        select(func.max(col(table.row)).label("row")).where(here(table), col(table.job_id) == bindparam("of"))
    )
    for table in _KEPT
}
_ROWS: dict[Any, Any] = {
    table: prepared(
        delete(table).where(here(table), col(table.job_id) == bindparam("of"), col(table.row) < bindparam("below"))
    )
    for table in _KEPT
}
_REMOVED: dict[Any, Any] = {
    table: prepared(delete(table).where(here(table), among(table.id, "ids")))
    for table in (tables.Upload, tables.JobFile)
}


async def workspaces(session: Session) -> list[int]:
    """The numbers of all of the server's."""
    return [row.workspace_id for row in await session.rows(_WORKSPACES)]


async def sessions(work: Work, *, before: int) -> int:
    """Removes those that ended before that moment, of everybody; returns how many."""
    return await work.execute(_SESSIONS, before=before)


async def uploads(session: Session, *, before: int, size: int) -> list[Any]:
    """Those that came before that moment, the oldest first."""
    return await session.rows(_UPLOADS, before=before, size=size)


async def being_imported(session: Session) -> list[Any]:
    """The arguments of the imports that have not ended."""
    return [row.arguments for row in await session.rows(_READING)]


async def files(session: Session, *, before: int, size: int) -> list[Any]:
    """Those that jobs made and that could be fetched until that moment."""
    return await session.rows(_FILES, before=before, size=size)


async def remove(work: Work, table: Any, ids: Sequence[bytes]) -> None:
    await work.execute(_REMOVED[table], ids=ids)


async def jobs_keeping(session: Session, table: Any, *, before: int) -> list[bytes]:
    """The jobs that ended before that moment and keep rows of a table still."""
    return [row.id for row in await session.rows(_KEPT[table], before=before)]


async def highest(session: Session, table: Any, job_id: bytes) -> int:
    """The number of the last row that is kept; -1 where there is none."""
    found = (await session.rows(_HIGHEST[table], of=job_id))[0].row
    return -1 if found is None else int(found)


async def forget(work: Work, table: Any, job_id: bytes, below: int) -> None:
    """Removes the rows with lower numbers."""
    await work.execute(_ROWS[table], of=job_id, below=below)
