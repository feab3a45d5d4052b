"""Saved views: a filter, a search, a sort and columns under a name."""

from typing import Any

from sqlmodel import Field

from db.tables.column_types import Id, Json, Key, Stored, foreign_key, workspace_index


class SavedView(Stored, table=True):
    """A view without an owner belongs to the workspace."""

    __tablename__ = "saved_view"
    __table_args__ = (foreign_key("owner_id", "agent"), workspace_index("owner_id", "position", "id"))

    name: str
    name_key: str = Field(sa_type=Key)
    owner_id: bytes | None = Field(default=None, sa_type=Id)
    shared: bool = False
    protected: bool = False
    position: int = 0
    filter: Any = Field(default=None, sa_type=Json, nullable=True)
    search: str | None = None
    sort: Any = Field(default=None, sa_type=Json, nullable=True)
    columns: list[dict[str, Any]] = Field(sa_type=Json)
