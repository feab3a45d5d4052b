"""Who may see and do what: permissions, the roles that bring them, the viewer who holds them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from db import tables
from db.tables.enums import ActorKind, CustomerStage, Permission, Role
from db.visibility import Visibility

_ALL = frozenset(Permission)

# What a role brings (SM2, SB8, MS4). Grants and revocations of an agent come on top.
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: _ALL,
    Role.MANAGER: _ALL
    - {
        Permission.TAG_ASSIGN,
        Permission.TAG_MANAGE,
        Permission.SETTINGS_MANAGE,
        Permission.KEY_MANAGE,
        Permission.WEBHOOK_MANAGE,
    },
    Role.AGENT: frozenset(
        {
            Permission.CUSTOMER_VIEW,
            Permission.CUSTOMER_CREATE,
            Permission.CUSTOMER_UPDATE,
            Permission.CUSTOMER_CLAIM,
            Permission.STATUS_CHANGE,
            Permission.NOTE_WRITE,
            Permission.INTERACTION_RECORD,
        }
    ),
}


def effective_permissions(
    role: Role, *, granted: Iterable[int] = (), revoked: Iterable[int] = ()
) -> frozenset[Permission]:
    """What an agent of that role may do, with the exceptions made for him."""
    return (ROLE_PERMISSIONS[role] | {Permission(one) for one in granted}) - {Permission(one) for one in revoked}


def effective_permissions_of(role: Role, exceptions: Iterable[tables.AgentPermission]) -> frozenset[Permission]:
    """The same from the rows that keep the exceptions."""
    rows = list(exceptions)
    return effective_permissions(
        role,
        granted=[row.permission for row in rows if row.granted],
        revoked=[row.permission for row in rows if not row.granted],
    )


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: an agent or an API key of one workspace, and what he may do. Departments come first one first."""

    workspace_id: int
    actor_kind: ActorKind
    actor_id: bytes
    permissions: frozenset[Permission]
    department_ids: tuple[bytes, ...] = ()
    visibility: Visibility = field(init=False, compare=False, repr=False)
    """Which customers he may see."""

    def __post_init__(self) -> None:
        sees_all = Permission.CUSTOMER_VIEW_ALL in self.permissions
        object.__setattr__(self, "visibility", Visibility(sees_all, self.agent_id, self.department_ids))

    @property
    def caller(self) -> bytes:
        """The same for every request of one agent or key."""
        return self.actor_id

    @property
    def agent_id(self) -> bytes | None:
        """The agent who asks; None for a key."""
        return self.actor_id if self.actor_kind is ActorKind.AGENT else None

    def has_permission(self, permission: Permission) -> bool:
        return permission in self.permissions


def may_change(viewer: Viewer, customer: Any) -> bool:
    """Whether he may change this customer of those he sees: any where he sees all; else his own, and those who wait in
    his departments."""
    if viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        return True
    return is_owner(viewer, customer) or (
        customer.stage == CustomerStage.TO_BE_ASSIGNED and customer.department_id in viewer.department_ids
    )


def is_owner(viewer: Viewer, customer: Any) -> bool:
    """Whether the customer is his own."""
    return viewer.agent_id is not None and customer.owner_id == viewer.agent_id
