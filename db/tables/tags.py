"""Tags, and which customers have them."""

from sqlmodel import Field

from db.tables.column_types import CLUSTERED, Code, Id, InWorkspace, Key, Stored, foreign_key, workspace_index
from db.tables.enums import TagKind


class Tag(Stored, table=True):
    __tablename__ = "tag"
    __table_args__ = (workspace_index("kind", "unique_key", unique=True), workspace_index("name_key", "id"))

    name: str
    name_key: str = Field(sa_type=Key)
    # The name without case; accents count.
    unique_key: str = Field(sa_type=Key)
    kind: int = Field(default=TagKind.BUSINESS, sa_type=Code)
    color: str | None = None
    description: str | None = None


class CustomerTag(InWorkspace, table=True):
    __tablename__ = "customer_tag"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        foreign_key("tag_id", "tag"),
        workspace_index("tag_id", "customer_id"),
        CLUSTERED,
    )

    customer_id: bytes = Field(sa_type=Id, primary_key=True)
    tag_id: bytes = Field(sa_type=Id, primary_key=True)
