"""The change log, and the webhooks that deliver it."""

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field

from db.tables.column_types import Code, Id, InWorkspace, Json, Key, Moment, Stored, foreign_key, workspace_index


class Change(InWorkspace, table=True):
    """The effect of one transaction on one record. The workspace's counter provides `seq` in commit order.

    `fields` lists {field, before, after}. `audience` stores who could see a deleted customer, and for a merge the data
    to restore the merged customers. `customer_id` is the customer of a note, interaction or order.
    """

    __tablename__ = "change"
    __table_args__ = (
        workspace_index("node_id", "seq"),
        workspace_index("customer_id", "seq", where="customer_id IS NOT NULL"),
        workspace_index("job_id", "row", where="job_id IS NOT NULL"),
        workspace_index("at", "seq"),
    )

    seq: int = Field(sa_type=BigInteger, primary_key=True)
    at: int = Field(sa_type=Moment)
    action: int = Field(sa_type=Code)
    entity: str = Field(sa_type=Key)
    node_id: bytes = Field(sa_type=Id)
    customer_id: bytes | None = Field(default=None, sa_type=Id)
    version: int
    fields: Any = Field(sa_type=Json)
    actor_kind: int = Field(sa_type=Code)
    actor_id: bytes | None = Field(default=None, sa_type=Id)
    job_id: bytes | None = Field(default=None, sa_type=Id)
    row: int | None = Field(default=None, sa_type=BigInteger)
    request_id: str | None = None
    audience: Any = Field(default=None, sa_type=Json, nullable=True)


class Webhook(Stored, table=True):
    """`cursor` is the last change that was examined for the webhook."""

    __tablename__ = "webhook"

    url: str
    filter: Any = Field(default=None, sa_type=Json, nullable=True)
    query: str | None = None
    active: bool = True
    secret: str
    cursor: int = Field(default=0, sa_type=BigInteger)
    leased_until: int | None = Field(default=None, sa_type=Moment)


class Delivery(Stored, table=True):
    """A delivery of a change to a webhook."""

    __tablename__ = "delivery"
    __table_args__ = (
        foreign_key("webhook_id", "webhook", cascade=True),
        workspace_index("webhook_id", "id"),
        workspace_index("next_attempt_at", where="next_attempt_at IS NOT NULL"),
    )

    webhook_id: bytes = Field(sa_type=Id)
    change_seq: int | None = Field(default=None, sa_type=BigInteger)
    payload: Any = Field(default=None, sa_type=Json, nullable=True)
    status: int | None = None
    attempts: int = 0
    at: int = Field(sa_type=Moment)
    next_attempt_at: int | None = Field(default=None, sa_type=Moment)
    error: str | None = None
