"""Custom fields and their typed values."""

from sqlalchemy import Double, PrimaryKeyConstraint
from sqlmodel import Field

from db.tables.column_types import (
    CLUSTERED,
    Code,
    Id,
    InWorkspace,
    Json,
    Key,
    Moment,
    Stored,
    foreign_key,
    workspace_index,
)


class CustomField(Stored, table=True):
    __tablename__ = "custom_field"
    __table_args__ = (workspace_index("entity", "key", unique=True),)

    entity: int = Field(sa_type=Code)
    key: str = Field(sa_type=Key)
    label: str
    description: str | None = None
    type: int = Field(sa_type=Code)
    options: list[str] = Field(sa_type=Json)
    required: bool = False
    unique: bool = False
    active: bool = True
    position: int = 0


class _Value(InWorkspace):
    """One value, in the column of its field's type. A MULTI_SELECT value has one row per option.

    `text_key` is folded and truncated to the index limit, for sort and equality; `text_folded` is the whole text. Only
    values of unique fields have `unique_key`.
    """

    field_id: bytes = Field(sa_type=Id, primary_key=True)
    position: int = Field(default=0, sa_type=Code, primary_key=True)
    text: str | None = None
    text_key: str | None = Field(default=None, sa_type=Key)
    text_folded: str | None = Field(default=None, sa_type=Key)
    number: float | None = Field(default=None, sa_type=Double)
    boolean: bool | None = None
    date: str | None = Field(default=None, sa_type=Key)
    date_time: int | None = Field(default=None, sa_type=Moment)
    option: str | None = Field(default=None, sa_type=Key)
    unique_key: str | None = Field(default=None, sa_type=Key)


_TYPED = ["text_key", "number", "boolean", "date", "date_time", "option"]


class CustomerValue(_Value, table=True):
    __tablename__ = "customer_value"
    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "customer_id", "field_id", "position"),
        foreign_key("field_id", "custom_field"),
        foreign_key("customer_id", "customer", cascade=True),
        *(workspace_index("field_id", column, "customer_id", where=f"{column} IS NOT NULL") for column in _TYPED),
        workspace_index("field_id", "unique_key", unique=True, where="unique_key IS NOT NULL"),
        CLUSTERED,
    )

    customer_id: bytes = Field(sa_type=Id, primary_key=True)


class CompanyValue(_Value, table=True):
    __tablename__ = "company_value"
    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "company_id", "field_id", "position"),
        foreign_key("field_id", "custom_field"),
        foreign_key("company_id", "company", cascade=True),
        *(workspace_index("field_id", column, "company_id", where=f"{column} IS NOT NULL") for column in _TYPED),
        workspace_index("field_id", "unique_key", unique=True, where="unique_key IS NOT NULL"),
        CLUSTERED,
    )

    company_id: bytes = Field(sa_type=Id, primary_key=True)
