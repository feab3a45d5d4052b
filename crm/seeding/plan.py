"""The input of customer generation: small, complete and equal in every process."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeedTag:
    """A tag: its id, its folded name, and its id as clients see it."""

    id: bytes
    name_key: str
    wire_id: str


@dataclass(frozen=True, slots=True)
class SeedAgent:
    """An active agent with their main department."""

    agent_id: bytes
    department_id: bytes


@dataclass(frozen=True, slots=True)
class SeedCompany:
    """A company that customers belong to."""

    id: bytes
    name_key: str
    domain: str


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """`agents`, `departments` and `companies` are by country; `field_ids` are the ids of custom fields by key."""

    workspace_id: int
    seed: int
    customers: int
    since: int
    until: int
    tags: tuple[SeedTag, ...]
    agents: Mapping[str, tuple[SeedAgent, ...]]
    departments: Mapping[str, tuple[bytes, ...]]
    companies: Mapping[str, tuple[SeedCompany, ...]]
    field_ids: Mapping[str, bytes]
    follow_up_stages: tuple[str, ...]
    sources: tuple[str, ...]
