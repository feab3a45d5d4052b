"""Notes, interactions and orders of customers."""

from typing import Any

from sqlmodel import Field

from db.tables.column_types import Amount, Code, Id, Json, Key, Moment, Stored, Versioned, foreign_key, workspace_index


class Note(Versioned, table=True):
    __tablename__ = "note"
    __table_args__ = (foreign_key("customer_id", "customer", cascade=True), workspace_index("customer_id", "id"))

    customer_id: bytes = Field(sa_type=Id)
    body: str
    body_key: str = Field(sa_type=Key)
    author_kind: int = Field(sa_type=Code)
    author_id: bytes | None = Field(default=None, sa_type=Id)


class Interaction(Stored, table=True):
    """`pending` marks an interaction recorded while the customer was archived. It takes effect on unarchive."""

    __tablename__ = "interaction"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        foreign_key("agent_id", "agent"),
        workspace_index("customer_id", "occurred_at", "id"),
        workspace_index("kind", "occurred_at", "customer_id"),
        workspace_index("external_system", "external_value", unique=True, where="external_value IS NOT NULL"),
    )

    customer_id: bytes = Field(sa_type=Id)
    kind: int = Field(sa_type=Code)
    direction: int | None = Field(default=None, sa_type=Code)
    channel: str | None = None
    channel_key: str | None = Field(default=None, sa_type=Key)
    outcome: int | None = Field(default=None, sa_type=Code)
    subject: str | None = None
    body: str | None = None
    campaign: str | None = None
    campaign_key: str | None = Field(default=None, sa_type=Key)
    amount: int | None = Field(default=None, sa_type=Amount)
    occurred_at: int = Field(sa_type=Moment)
    agent_id: bytes | None = Field(default=None, sa_type=Id)
    external_system: str | None = Field(default=None, sa_type=Key)
    external_value: str | None = Field(default=None, sa_type=Key)
    pending: bool = False


class Order(Stored, table=True):
    """A purchase, identified by source and number."""

    __tablename__ = "customer_order"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        workspace_index("customer_id", "placed_at", "id"),
        workspace_index("placed_at", "customer_id"),
        workspace_index("source", "number", unique=True),
        workspace_index("number_key", "customer_id"),
    )

    customer_id: bytes = Field(sa_type=Id)
    source: str = Field(sa_type=Key)
    source_key: str | None = Field(default=None, sa_type=Key)
    number: str = Field(sa_type=Key)
    number_key: str | None = Field(default=None, sa_type=Key)
    status: str | None = None
    status_key: str | None = Field(default=None, sa_type=Key)
    total: int | None = Field(default=None, sa_type=Amount)
    currency: str | None = None
    placed_at: int = Field(sa_type=Moment)
    lines: Any = Field(default=None, sa_type=Json, nullable=True)
