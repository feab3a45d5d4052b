"""Workspaces: the directory, the settings, the change counter."""

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from db.tables.column_types import Code, Id, InWorkspace, Json, Moment, Versioned, workspace_index
from db.tables.enums import BulkDeletePolicy, CustomerStage, DepartmentAssignment


class Directory(SQLModel, table=True):
    """The directory of all workspaces: maps the public id to the number in every table."""

    __tablename__ = "directory"

    workspace_id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: bytes = Field(sa_type=Id, unique=True)
    created_at: int = Field(sa_type=Moment)


class Workspace(Versioned, table=True):
    """The settings of a workspace: one row."""

    __tablename__ = "workspace"

    name: str
    timezone: str = "UTC"
    default_country: str | None = None
    automation_enabled: bool = True
    automation_rules: list[int] = Field(sa_type=Json)
    bulk_delete: int = Field(default=BulkDeletePolicy.TO_BE_ASSIGNED_ONLY, sa_type=Code)
    default_stage: int = Field(default=CustomerStage.TO_BE_ASSIGNED, sa_type=Code)
    department_assignment: int = Field(default=DepartmentAssignment.EXPAND, sa_type=Code)
    max_customers_per_agent: int | None = None
    pool_auto_reclaim: bool = False
    pool_idle_days: int = 30
    pool_daily_claim_limit: int | None = None
    pool_reclaim_cooldown_days: int = 0
    allow_inline_tags: bool = True
    follow_up_stages: list[str] = Field(sa_type=Json)
    sources: list[str] = Field(sa_type=Json)


class Counter(InWorkspace, table=True):
    """The last number of the workspace's change log. A writing transaction locks it last, so numbers are gapless and in
    commit order."""

    __tablename__ = "counter"

    change: int = Field(default=0, sa_type=BigInteger)


class Idempotency(InWorkspace, table=True):
    """The answer of a mutation with @idempotent, stored for its caller for a day."""

    __tablename__ = "idempotency"
    __table_args__ = (workspace_index("created_at"),)

    caller_id: bytes = Field(sa_type=Id, primary_key=True)
    key: str = Field(primary_key=True)
    mutation: str
    arguments: bytes
    answer: Any = Field(default=None, sa_type=Json, nullable=True)
    created_at: int = Field(sa_type=Moment)
