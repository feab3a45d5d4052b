"""Jobs, their targets and results, and the files that they read and create."""

from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from db.tables.column_types import CLUSTERED, Code, Id, InWorkspace, Json, Moment, Stored, foreign_key, workspace_index
from db.tables.enums import JobStatus

_OPEN = text("finished_at IS NULL")


class Job(Stored, table=True):
    """The effect of a chunk and `processed` are committed together. `leased_until` lets another worker continue."""

    __tablename__ = "job"
    __table_args__ = (
        workspace_index("status", "id"),
        workspace_index("actor_id", "id"),
        workspace_index("undo_of", where="undo_of IS NOT NULL"),
        # The open jobs that workers poll, across workspaces.
        Index("ix_job_open", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    )

    kind: int = Field(sa_type=Code)
    status: int = Field(default=JobStatus.QUEUED, sa_type=Code)
    label: str | None = None
    dry_run: bool = False
    on_error: int = Field(default=0, sa_type=Code)
    arguments: Any = Field(sa_type=Json)
    target: Any = Field(default=None, sa_type=Json, nullable=True)
    actor_kind: int = Field(sa_type=Code)
    actor_id: bytes | None = Field(default=None, sa_type=Id)
    request_id: str | None = None
    matched: int = Field(default=0, sa_type=BigInteger)
    processed: int = Field(default=0, sa_type=BigInteger)
    counts: dict[str, int] = Field(sa_type=Json)
    state: Any = Field(default=None, sa_type=Json, nullable=True)
    error: str | None = None
    started_at: int | None = Field(default=None, sa_type=Moment)
    finished_at: int | None = Field(default=None, sa_type=Moment)
    leased_by: str | None = None
    leased_until: int | None = Field(default=None, sa_type=Moment)
    undo_of: bytes | None = Field(default=None, sa_type=Id)
    retry_of: bytes | None = Field(default=None, sa_type=Id)


class JobTarget(InWorkspace, table=True):
    """The customers of a job in list order, as found when it started."""

    __tablename__ = "job_target"
    __table_args__ = (foreign_key("job_id", "job", cascade=True), CLUSTERED)

    job_id: bytes = Field(sa_type=Id, primary_key=True)
    row: int = Field(sa_type=BigInteger, primary_key=True)
    node_id: bytes = Field(sa_type=Id)


class JobRow(InWorkspace, table=True):
    """The result of a row that is not in the change log: skipped, failed, unchanged, or of a dry run."""

    __tablename__ = "job_row"
    __table_args__ = (
        foreign_key("job_id", "job", cascade=True),
        workspace_index("job_id", "outcome", "row"),
        CLUSTERED,
    )

    job_id: bytes = Field(sa_type=Id, primary_key=True)
    row: int = Field(sa_type=BigInteger, primary_key=True)
    node_id: bytes | None = Field(default=None, sa_type=Id)
    outcome: int = Field(sa_type=Code)
    fields: Any = Field(default=None, sa_type=Json, nullable=True)
    errors: Any = Field(default=None, sa_type=Json, nullable=True)


class Upload(Stored, table=True):
    """A file that a caller has uploaded for an import."""

    __tablename__ = "upload"
    __table_args__ = (workspace_index("created_at"),)

    actor_kind: int = Field(sa_type=Code)
    actor_id: bytes = Field(sa_type=Id)
    name: str | None = None
    bytes: int = Field(sa_type=BigInteger)
    path: str


class JobFile(Stored, table=True):
    """A file that a job has created; it can be downloaded until it expires."""

    __tablename__ = "job_file"
    __table_args__ = (foreign_key("job_id", "job", cascade=True), workspace_index("job_id"))

    job_id: bytes = Field(sa_type=Id)
    name: str
    format: int = Field(sa_type=Code)
    bytes: int = Field(sa_type=BigInteger)
    path: str
    expires_at: int = Field(sa_type=Moment)
