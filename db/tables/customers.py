"""Customers and their child rows: phones, e-mails, external ids, friends, a block, the search document."""

from sqlalchemy import Index
from sqlmodel import Field

from db.tables.column_types import (
    CLUSTERED,
    Amount,
    Code,
    Id,
    InWorkspace,
    Key,
    Moment,
    Versioned,
    foreign_key,
    workspace_index,
)
from db.tables.enums import CustomerStage, RelationshipStatus, SubscriptionStatus, Verification

# Lists can be sorted or filtered by these columns. The id at the end breaks ties and is the default order.
_SORTED = [
    "name_key", "nickname_key", "phone", "email_key", "value", "gender", "birth_date", "updated_at",
    "last_interaction_at", "relationship_status", "subscription_status", "stage", "first_tag_key", "tag_count",
    "company_id", "owner_id",
]  # fmt: skip
_NARROWED = [
    "real_name_key", "city_key", "region_key", "country_key", "source_key", "channel_key", "verification",
    "follow_up_stage_key", "department_id", "archived_at",
]  # fmt: skip


class Customer(Versioned, table=True):
    """Columns ending in `_key` are folded. `phone`, `email`, the counts and `first_tag_key` copy values of the tables
    below and change in the same transaction."""

    __tablename__ = "customer"
    __table_args__ = (
        foreign_key("owner_id", "agent"),
        foreign_key("previous_owner_id", "agent"),
        foreign_key("department_id", "department"),
        foreign_key("company_id", "company"),
        *(workspace_index(column, "id") for column in _SORTED + _NARROWED),
    )

    name: str
    name_key: str = Field(sa_type=Key)
    nickname: str | None = None
    nickname_key: str | None = Field(default=None, sa_type=Key)
    real_name: str | None = None
    real_name_key: str | None = Field(default=None, sa_type=Key)
    avatar_url: str | None = None
    phone: str | None = Field(default=None, sa_type=Key)
    phone_count: int = Field(default=0, sa_type=Code)
    email: str | None = None
    email_key: str | None = Field(default=None, sa_type=Key)
    email_count: int = Field(default=0, sa_type=Code)
    gender: int | None = Field(default=None, sa_type=Code)
    birth_date: str | None = Field(default=None, sa_type=Key)
    value: int = Field(default=0, sa_type=Amount)
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    city_key: str | None = Field(default=None, sa_type=Key)
    region: str | None = None
    region_key: str | None = Field(default=None, sa_type=Key)
    postal_code: str | None = None
    country: str | None = None
    country_key: str | None = Field(default=None, sa_type=Key)
    source: str | None = None
    source_key: str | None = Field(default=None, sa_type=Key)
    channel: str | None = None
    channel_key: str | None = Field(default=None, sa_type=Key)
    relationship_status: int = Field(default=RelationshipStatus.LEAD, sa_type=Code)
    subscription_status: int = Field(default=SubscriptionStatus.NOT_SUBSCRIBED, sa_type=Code)
    stage: int = Field(default=CustomerStage.TO_BE_ASSIGNED, sa_type=Code)
    verification: int = Field(default=Verification.UNVERIFIED, sa_type=Code)
    follow_up_stage: str | None = None
    follow_up_stage_key: str | None = Field(default=None, sa_type=Key)
    owner_id: bytes | None = Field(default=None, sa_type=Id)
    owned_since: int | None = Field(default=None, sa_type=Moment)
    previous_owner_id: bytes | None = Field(default=None, sa_type=Id)
    released_at: int | None = Field(default=None, sa_type=Moment)
    department_id: bytes | None = Field(default=None, sa_type=Id)
    company_id: bytes | None = Field(default=None, sa_type=Id)
    reseller_relationship: bool = True
    archived_at: int | None = Field(default=None, sa_type=Moment)
    last_interaction_at: int | None = Field(default=None, sa_type=Moment)
    tag_count: int = Field(default=0, sa_type=Code)
    first_tag_key: str | None = Field(default=None, sa_type=Key)


class CustomerPhone(InWorkspace, table=True):
    """A phone number in E.164; `position` 0 is the primary one."""

    __tablename__ = "customer_phone"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        workspace_index("phone", "customer_id"),
        CLUSTERED,
    )

    customer_id: bytes = Field(sa_type=Id, primary_key=True)
    position: int = Field(sa_type=Code, primary_key=True)
    phone: str = Field(sa_type=Key)


class CustomerEmail(InWorkspace, table=True):
    """An e-mail address, as typed and folded; `position` 0 is the primary one."""

    __tablename__ = "customer_email"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        workspace_index("email_key", "customer_id"),
        CLUSTERED,
    )

    customer_id: bytes = Field(sa_type=Id, primary_key=True)
    position: int = Field(sa_type=Code, primary_key=True)
    email: str
    email_key: str = Field(sa_type=Key)


class CustomerExternalId(InWorkspace, table=True):
    """An external id of a customer; unique in its system."""

    __tablename__ = "customer_external_id"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        workspace_index("customer_id", "system"),
        CLUSTERED,
    )

    system: str = Field(sa_type=Key, primary_key=True)
    value: str = Field(sa_type=Key, primary_key=True)
    value_key: str | None = Field(default=None, sa_type=Key)
    customer_id: bytes = Field(sa_type=Id)


class WechatFriend(InWorkspace, table=True):
    """A WeChat friendship of a customer and an agent."""

    __tablename__ = "wechat_friend"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        foreign_key("agent_id", "agent"),
        workspace_index("agent_id", "customer_id"),
        CLUSTERED,
    )

    customer_id: bytes = Field(sa_type=Id, primary_key=True)
    agent_id: bytes = Field(sa_type=Id, primary_key=True)


class CustomerBlock(InWorkspace, table=True):
    """A block of a customer, until a time or without end. An expired block counts as none."""

    __tablename__ = "customer_block"
    __table_args__ = (foreign_key("customer_id", "customer", cascade=True), CLUSTERED)

    customer_id: bytes = Field(sa_type=Id, primary_key=True)
    reason: str
    until: int | None = Field(default=None, sa_type=Moment)
    actor_kind: int = Field(sa_type=Code)
    actor_id: bytes | None = Field(default=None, sa_type=Id)
    at: int = Field(sa_type=Moment)


class CustomerSearch(InWorkspace, table=True):
    """The folded search document of a customer. It is a separate table, so that a note does not rewrite the customer.

    On SQLite the rows also have a `number`, which the full-text table, maintained by triggers, refers to.
    """

    __tablename__ = "customer_search"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        Index(
            "ix_customer_search_text",
            "workspace_id",
            "text",
            postgresql_using="gin",
            postgresql_ops={"text": "gin_trgm_ops"},
        ).ddl_if(dialect="postgresql"),
    )

    customer_id: bytes = Field(sa_type=Id, primary_key=True)
    text: str = Field(sa_type=Key)


class CustomerAlias(InWorkspace, table=True):
    """The id of a merged customer. It keeps resolving to the survivor."""

    __tablename__ = "customer_alias"
    __table_args__ = (
        foreign_key("customer_id", "customer", cascade=True),
        workspace_index("customer_id", "id"),
        CLUSTERED,
    )

    id: bytes = Field(sa_type=Id, primary_key=True)
    customer_id: bytes = Field(sa_type=Id)


class DuplicateDismissal(InWorkspace, table=True):
    """Two customers that are known to be different people; the smaller id comes first."""

    __tablename__ = "duplicate_dismissal"
    __table_args__ = (
        foreign_key("first_id", "customer", cascade=True),
        foreign_key("second_id", "customer", cascade=True),
        workspace_index("second_id"),
        CLUSTERED,
    )

    first_id: bytes = Field(sa_type=Id, primary_key=True)
    second_id: bytes = Field(sa_type=Id, primary_key=True)
