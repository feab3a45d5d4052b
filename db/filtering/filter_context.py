"""What a filter is read against: the time, who asks, and what the workspace has of fields, segments, departments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.filtering.relative_dates import Clock
from db.tables.enums import EntityType
from db.visibility import Visibility


@dataclass(slots=True)
class FilterContext:
    """`agent_id` is the viewer's; None for a key. `parents` is the tree of departments, each with the one above.
    `survivors` are the customers whom those that a question names were merged into."""

    initial_clock: Clock
    agent_id: bytes | None
    visibility: Visibility
    fields: Mapping[EntityType, Mapping[str, Any]] = field(default_factory=dict)
    segments: Mapping[bytes, Any] = field(default_factory=dict)
    parents: Mapping[bytes, bytes | None] = field(default_factory=dict)
    survivors: Mapping[bytes, bytes] = field(default_factory=dict)
    field_rows: Sequence[Any] | None = None
    """What `fields` was made of; None where no field is named."""
    is_lasting: bool = False
    """Whether what was read against it holds as long as the fields stay as they are: no segment, department or customer
    is named, and nobody looked at the clock."""

    @property
    def clock(self) -> Clock:
        self.is_lasting = False
        return self.initial_clock

    @property
    def now(self) -> int:
        return self.clock.now

    def department_and_descendants(self, department_id: bytes) -> list[bytes]:
        """That department and all below it; empty where there is none."""
        if department_id not in self.parents:
            return []
        found = {department_id}
        while more := {one for one, parent in self.parents.items() if parent in found} - found:
            found |= more
        return sorted(found)
