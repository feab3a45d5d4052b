"""Companies that customers belong to."""

from sqlmodel import Field

from db.tables.column_types import CLUSTERED, Id, InWorkspace, Key, Versioned, foreign_key, workspace_index


class Company(Versioned, table=True):
    __tablename__ = "company"
    __table_args__ = (
        foreign_key("owner_id", "agent"),
        workspace_index("name_key", "id"),
        workspace_index("domain_key", unique=True, where="domain_key IS NOT NULL"),
        workspace_index("owner_id", "id"),
    )

    name: str
    name_key: str = Field(sa_type=Key)
    domain: str | None = None
    domain_key: str | None = Field(default=None, sa_type=Key)
    phone: str | None = Field(default=None, sa_type=Key)
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    owner_id: bytes | None = Field(default=None, sa_type=Id)


class CompanyExternalId(InWorkspace, table=True):
    """An external id of a company; unique in its system."""

    __tablename__ = "company_external_id"
    __table_args__ = (
        foreign_key("company_id", "company", cascade=True),
        workspace_index("company_id", "system"),
        CLUSTERED,
    )

    system: str = Field(sa_type=Key, primary_key=True)
    value: str = Field(sa_type=Key, primary_key=True)
    value_key: str | None = Field(default=None, sa_type=Key)
    company_id: bytes = Field(sa_type=Id)
