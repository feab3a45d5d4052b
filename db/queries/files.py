"""Uploads and files of jobs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.statements import any_of, group_rows, in_workspace, prepare

_UPLOAD = prepare(
    select(tables.Upload).where(
        in_workspace(tables.Upload),
        col(tables.Upload.id) == bindparam("upload_id"),
        col(tables.Upload.actor_id) == bindparam("sender"),
    )
)
_MADE = prepare(
    select(tables.JobFile).where(in_workspace(tables.JobFile), col(tables.JobFile.id) == bindparam("file_id"))
)
_BY_JOB = prepare(
    select(tables.JobFile)
    .where(in_workspace(tables.JobFile), any_of(tables.JobFile.job_id, "ids"))
    .order_by(col(tables.JobFile.id))
)


async def upload_by_id(session: Session, identifier: bytes, actor_id: bytes) -> tables.Upload | None:
    """The upload of that agent or API key."""
    return await session.fetch_first(_UPLOAD, upload_id=identifier, sender=actor_id)


async def job_file_by_id(session: Session, identifier: bytes) -> tables.JobFile | None:
    """A file that a job has created."""
    return await session.fetch_first(_MADE, file_id=identifier)


async def by_job(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[Any]]:
    """The files of each job."""
    return group_rows(await session.fetch_all(_BY_JOB, ids=ids), "job_id")
