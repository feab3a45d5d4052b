"""Who may come in: accounts, sessions and keys, found before their workspace is known: kept beside all of them."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from db.tables.column_types import Id, Json, Key, Moment


class Account(SQLModel, table=True):
    """How an agent signs in. The folded address is unique on the server."""

    __tablename__ = "account"

    id: bytes = Field(sa_type=Id, primary_key=True)
    workspace_id: int = Field(sa_type=BigInteger)
    email_key: str = Field(sa_type=Key, unique=True)
    password_hash: str | None = None


class SignIn(SQLModel, table=True):
    """A session: the token's id is the row's, its secret is kept as a hash."""

    __tablename__ = "sign_in"

    id: bytes = Field(sa_type=Id, primary_key=True)
    secret_hash: bytes
    workspace_id: int = Field(sa_type=BigInteger)
    agent_id: bytes = Field(sa_type=Id, index=True)
    created_at: int = Field(sa_type=Moment)
    expires_at: int = Field(sa_type=Moment)
    ended_at: int | None = Field(default=None, sa_type=Moment)


class SignInFailure(SQLModel, table=True):
    """A refused attempt, by account or by network address; five in a quarter of an hour close the door."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index(None, "subject", "at"),)

    id: bytes = Field(sa_type=Id, primary_key=True)
    subject: str = Field(sa_type=Key)
    at: int = Field(sa_type=Moment)


class ApiKey(SQLModel, table=True):
    """A key of a workspace with permissions of its own."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "workspace_id", "id"),)

    id: bytes = Field(sa_type=Id, primary_key=True)
    workspace_id: int = Field(sa_type=BigInteger)
    name: str
    permissions: list[int] = Field(sa_type=Json)
    secret_hash: bytes
    hint: str
    created_at: int = Field(sa_type=Moment)
    created_by: bytes = Field(sa_type=Id)
    last_used_at: int | None = Field(default=None, sa_type=Moment)
    expires_at: int | None = Field(default=None, sa_type=Moment)
    revoked_at: int | None = Field(default=None, sa_type=Moment)
