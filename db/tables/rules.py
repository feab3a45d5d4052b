"""Rules that assign customers automatically."""

from typing import Any

from sqlmodel import Field

from db.tables.column_types import CLUSTERED, Code, Id, InWorkspace, Json, Moment, Stored, foreign_key, workspace_index
from db.tables.enums import AssignmentStrategy


class AssignmentRule(Stored, table=True):
    """`turn` counts the assignments, so that round robin continues where it stopped."""

    __tablename__ = "assignment_rule"
    __table_args__ = (workspace_index("position", "id"),)

    name: str
    active: bool = True
    position: int = 0
    filter: Any = Field(default=None, sa_type=Json, nullable=True)
    strategy: int = Field(default=AssignmentStrategy.ROUND_ROBIN, sa_type=Code)
    turn: int = 0


class AssignmentRuleMember(InWorkspace, table=True):
    """An agent or department of a rule, in order."""

    __tablename__ = "assignment_rule_member"
    __table_args__ = (
        foreign_key("rule_id", "assignment_rule", cascade=True),
        foreign_key("agent_id", "agent"),
        foreign_key("department_id", "department"),
        workspace_index("agent_id"),
        workspace_index("department_id"),
        CLUSTERED,
    )

    rule_id: bytes = Field(sa_type=Id, primary_key=True)
    position: int = Field(sa_type=Code, primary_key=True)
    agent_id: bytes | None = Field(default=None, sa_type=Id)
    department_id: bytes | None = Field(default=None, sa_type=Id)


class Claim(Stored, table=True):
    """A claim of a customer by an agent, for the daily limit."""

    __tablename__ = "claim"
    __table_args__ = (foreign_key("agent_id", "agent"), workspace_index("agent_id", "at"))

    agent_id: bytes = Field(sa_type=Id)
    at: int = Field(sa_type=Moment)
