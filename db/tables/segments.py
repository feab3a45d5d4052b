"""Segments: stored filters and manual lists."""

from typing import Any

from sqlmodel import Field

from db.tables.column_types import CLUSTERED, Code, Id, InWorkspace, Json, Key, Versioned, foreign_key, workspace_index
from db.tables.enums import SegmentKind


class Segment(Versioned, table=True):
    """`filter` is the client's filter of a dynamic segment, stored verbatim; null for a static segment."""

    __tablename__ = "segment"
    __table_args__ = (workspace_index("name_key", "id"),)

    name: str
    name_key: str = Field(sa_type=Key)
    kind: int = Field(default=SegmentKind.DYNAMIC, sa_type=Code)
    description: str | None = None
    filter: Any = Field(default=None, sa_type=Json, nullable=True)


class SegmentMember(InWorkspace, table=True):
    """A customer in a static segment."""

    __tablename__ = "segment_member"
    __table_args__ = (
        foreign_key("segment_id", "segment", cascade=True),
        foreign_key("customer_id", "customer", cascade=True),
        workspace_index("customer_id", "segment_id"),
        CLUSTERED,
    )

    segment_id: bytes = Field(sa_type=Id, primary_key=True)
    customer_id: bytes = Field(sa_type=Id, primary_key=True)
