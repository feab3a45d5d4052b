"""Permissions, the roles that include them, and the viewer who holds them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from db import tables
from db.tables.enums import ActorKind, CustomerStage, Permission, Role
from db.visibility import Visibility

_ALL_PERMISSIONS = frozenset(Permission)

# The permissions of each role (SM2, SB8, MS4), before an agent's grants and revocations.
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: _ALL_PERMISSIONS,
    Role.MANAGER: _ALL_PERMISSIONS
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
    """The permissions of an agent with that role and these exceptions."""
    return (ROLE_PERMISSIONS[role] | {Permission(permission) for permission in granted}) - {
        Permission(permission) for permission in revoked
    }


def effective_permissions_of(role: Role, exceptions: Iterable[tables.AgentPermission]) -> frozenset[Permission]:
    """The same with the exceptions as stored rows."""
    rows = list(exceptions)
    return effective_permissions(
        role,
        granted=[row.permission for row in rows if row.granted],
        revoked=[row.permission for row in rows if not row.granted],
    )


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller: an agent or an API key of one workspace, with permissions. The first department is the main one."""

    workspace_id: int
    actor_kind: ActorKind
    actor_id: bytes
    permissions: frozenset[Permission]
    department_ids: tuple[bytes, ...] = ()
    visibility: Visibility = field(init=False, compare=False, repr=False)
    """The customers that the viewer may see."""

    def __post_init__(self) -> None:
        sees_all = Permission.CUSTOMER_VIEW_ALL in self.permissions
        object.__setattr__(self, "visibility", Visibility(sees_all, self.agent_id, self.department_ids))

    @property
    def caller(self) -> bytes:
        """An id that is the same for all requests of one agent or key."""
        return self.actor_id

    @property
    def agent_id(self) -> bytes | None:
        """The calling agent; None for an API key."""
        return self.actor_id if self.actor_kind is ActorKind.AGENT else None

    def has_permission(self, permission: Permission) -> bool:
        return permission in self.permissions


def may_change(viewer: Viewer, customer: Any) -> bool:
    """Whether the viewer may change this visible customer: any with CUSTOMER_VIEW_ALL, else their own and those that
    wait for their departments."""
    if viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        return True
    return is_owner(viewer, customer) or (
        customer.stage == CustomerStage.TO_BE_ASSIGNED and customer.department_id in viewer.department_ids
    )


def is_owner(viewer: Viewer, customer: Any) -> bool:
    """Whether the viewer owns the customer."""
    return viewer.agent_id is not None and customer.owner_id == viewer.agent_id
