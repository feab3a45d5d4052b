"""What the making of customers starts from: small, whole and the same in every process."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A tag: its folded name, and its id as clients see it."""

    id: bytes
    key: str
    shown: str


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent at work in his first department."""

    agent_id: bytes
    department_id: bytes


@dataclass(frozen=True, slots=True)
class Employer:
    """A company that customers belong to."""

    id: bytes
    key: str
    domain: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`seats`, `departments` and `employers` are by country; `fields` are the ids of custom fields by key."""

    workspace_id: int
    seed: int
    customers: int
    since: int
    until: int
    tags: tuple[Label, ...]
    seats: Mapping[str, tuple[Seat, ...]]
    departments: Mapping[str, tuple[bytes, ...]]
    employers: Mapping[str, tuple[Employer, ...]]
    fields: Mapping[str, bytes]
    follow_up_stages: tuple[str, ...]
    sources: tuple[str, ...]
