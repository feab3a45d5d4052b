"""The context of a filter: the time, the viewer, and the workspace's fields, segments and departments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.filtering.relative_dates import Clock
from db.tables.enums import EntityType
from db.visibility import Visibility


@dataclass(slots=True)
class FilterContext:
    """`agent_id` is the viewer's; None for an API key. `parents` is the department tree: each department with its
    parent. `survivors` maps merged customers named in the query to their survivors."""

    initial_clock: Clock
    agent_id: bytes | None
    visibility: Visibility
    fields: Mapping[EntityType, Mapping[str, Any]] = field(default_factory=dict)
    segments: Mapping[bytes, Any] = field(default_factory=dict)
    parents: Mapping[bytes, bytes | None] = field(default_factory=dict)
    survivors: Mapping[bytes, bytes] = field(default_factory=dict)
    field_rows: Sequence[Any] | None = None
    """The rows that `fields` was built from; None if no field is named."""
    is_lasting: bool = False
    """Whether a parsed filter stays valid while the fields are unchanged: it names no segment, department or customer,
    and nothing used the clock."""

    @property
    def clock(self) -> Clock:
        self.is_lasting = False
        return self.initial_clock

    @property
    def now(self) -> int:
        return self.clock.now

    def department_and_descendants(self, department_id: bytes) -> list[bytes]:
        """The department and its descendants; empty if it does not exist."""
        if department_id not in self.parents:
            return []
        found = {department_id}
        while more := {one for one, parent in self.parents.items() if parent in found} - found:
            found |= more
        return sorted(found)
