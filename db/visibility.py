"""Visibility: which customers a viewer may see. Every read of customers carries this condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, true

from db import tables
from db.statements import any_of
from db.tables.enums import CustomerStage


@dataclass(frozen=True, slots=True)
class Visibility:
    """All customers, or an agent's own, those that wait in the agent's departments, and the pool (SM2, SB8)."""

    sees_all: bool
    agent_id: bytes | None = None
    department_ids: tuple[bytes, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """The parameters of `visible_to`."""
        if self.sees_all:
            return {}
        return {"seen_agent": self.agent_id, "seen_departments": self.department_ids}

    def could_see(self, audience: Mapping[str, Any]) -> bool:
        """Whether a customer with this former state, {"stage", "owner", "department"} with hexadecimal ids, was
        visible."""
        if self.sees_all or audience.get("stage") == CustomerStage.POOL:
            return True
        if audience.get("stage") == CustomerStage.TO_BE_ASSIGNED:
            department = audience.get("department")
            if department is not None and bytes.fromhex(department) in self.department_ids:
                return True
        return self.agent_id is not None and audience.get("owner") == self.agent_id.hex()


def visible_to(sees_all: bool, customer: Any = tables.Customer) -> ColumnElement[bool]:
    """The condition on `customer`, the table or an alias. Bind `Visibility.parameters()` to it."""
    if sees_all:
        return true()
    waiting = customer.stage == CustomerStage.TO_BE_ASSIGNED.value
    return or_(
        customer.stage == CustomerStage.POOL.value,
        customer.owner_id == bindparam("seen_agent"),
        waiting & any_of(customer.department_id, "seen_departments"),
    )
