"""Accounts, sessions and API keys: global tables, looked up before the workspace is known."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from db.tables.column_types import Id, Json, Key, Moment


class Account(SQLModel, table=True):
    """The sign-in of an agent. The folded e-mail address is unique on the server."""

    __tablename__ = "account"

    id: bytes = Field(sa_type=Id, primary_key=True)
    workspace_id: int = Field(sa_type=BigInteger)
    email_key: str = Field(sa_type=Key, unique=True)
    password_hash: str | None = None


class SignIn(SQLModel, table=True):
    """A session. The row's id is the token's id; the secret is stored as a hash."""

    __tablename__ = "sign_in"

    id: bytes = Field(sa_type=Id, primary_key=True)
    secret_hash: bytes
    workspace_id: int = Field(sa_type=BigInteger)
    agent_id: bytes = Field(sa_type=Id, index=True)
    created_at: int = Field(sa_type=Moment)
    expires_at: int = Field(sa_type=Moment)
    ended_at: int | None = Field(default=None, sa_type=Moment)


class SignInFailure(SQLModel, table=True):
    """A failed sign-in attempt, by account or by network address. Five in fifteen minutes block further attempts."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index(None, "subject", "at"),)

    id: bytes = Field(sa_type=Id, primary_key=True)
    subject: str = Field(sa_type=Key)
    at: int = Field(sa_type=Moment)


class ApiKey(SQLModel, table=True):
    """An API key of a workspace with its own permissions."""

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
