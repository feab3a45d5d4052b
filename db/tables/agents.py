"""Agents, permission exceptions and departments."""

from sqlmodel import Field

from db.tables.column_types import (
    CLUSTERED,
    Code,
    Id,
    InWorkspace,
    Key,
    Stored,
    Versioned,
    foreign_key,
    workspace_index,
)
from db.tables.enums import Role


class Agent(Versioned, table=True):
    __tablename__ = "agent"
    __table_args__ = (workspace_index("name_key", "id"), workspace_index("email_key", unique=True))

    name: str
    name_key: str = Field(sa_type=Key)
    email: str
    email_key: str = Field(sa_type=Key)
    active: bool = True
    role: int = Field(default=Role.AGENT, sa_type=Code)
    max_customers: int | None = None


class AgentPermission(InWorkspace, table=True):
    """A permission granted to an agent in addition to the role, or revoked from it."""

    __tablename__ = "agent_permission"
    __table_args__ = (foreign_key("agent_id", "agent", cascade=True), CLUSTERED)

    agent_id: bytes = Field(sa_type=Id, primary_key=True)
    permission: int = Field(sa_type=Code, primary_key=True)
    granted: bool


class Department(Stored, table=True):
    __tablename__ = "department"
    __table_args__ = (
        foreign_key("parent_id", "department"),
        workspace_index("parent_id", "id"),
        workspace_index("name_key", "id"),
    )

    name: str
    name_key: str = Field(sa_type=Key)
    parent_id: bytes | None = Field(default=None, sa_type=Id)


class AgentDepartment(InWorkspace, table=True):
    """An agent's department; `position` 0 is the primary one."""

    __tablename__ = "agent_department"
    __table_args__ = (
        foreign_key("agent_id", "agent", cascade=True),
        foreign_key("department_id", "department", cascade=True),
        workspace_index("department_id", "agent_id"),
        CLUSTERED,
    )

    agent_id: bytes = Field(sa_type=Id, primary_key=True)
    department_id: bytes = Field(sa_type=Id, primary_key=True)
    position: int = Field(default=0, sa_type=Code)
