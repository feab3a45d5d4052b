"""The actions that a viewer may take on a customer now, by the same checks as the mutations."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from crm.access import permissions
from crm.access.permissions import Viewer
from crm.assignment.claims import ClaimAllowance
from db.tables.enums import CustomerStage, Permission


class CustomerAction(Enum):
    """The actions on a customer."""

    UPDATE = "UPDATE"
    TAG = "TAG"
    CHANGE_STATUS = "CHANGE_STATUS"
    ASSIGN = "ASSIGN"
    CLAIM = "CLAIM"
    RELEASE = "RELEASE"
    VERIFY = "VERIFY"
    ARCHIVE = "ARCHIVE"
    UNARCHIVE = "UNARCHIVE"
    BLOCK = "BLOCK"
    UNBLOCK = "UNBLOCK"
    MERGE = "MERGE"
    DELETE = "DELETE"
    NOTE = "NOTE"
    EXPORT = "EXPORT"


ActionCheck = Callable[[Viewer, Any, bool], bool]
"""Takes the viewer, the customer's row, and whether the customer is blocked now."""


def allowed_actions(viewer: Viewer, row: Any, *, blocked: bool, claims: ClaimAllowance) -> list[CustomerAction]:
    """The allowed actions in declared order. `claims` limits the claiming of free customers."""
    actions = [action for action, check in _CHECKS.items() if check(viewer, row, blocked)]
    if CustomerAction.CLAIM in actions and (not claims.has_room or claims.must_wait(row, viewer.agent_id)):
        actions.remove(CustomerAction.CLAIM)
    return actions


def _is_live(row: Any) -> bool:
    return row.archived_at is None


def may_update(viewer: Viewer, row: Any) -> bool:
    return viewer.has_permission(Permission.CUSTOMER_UPDATE) and permissions.may_change(viewer, row)


def may_tag(viewer: Viewer, row: Any) -> bool:
    """Whether the viewer may change tags, which also requires the permission to update."""
    return may_update(viewer, row) and viewer.has_permission(Permission.TAG_ASSIGN) and bool(row.reseller_relationship)


def may_change_status(viewer: Viewer, row: Any) -> bool:
    """Whether the viewer may change statuses: of all customers with CUSTOMER_VIEW_ALL, else of their own."""
    is_in_scope = viewer.has_permission(Permission.CUSTOMER_VIEW_ALL) or permissions.is_owner(viewer, row)
    return viewer.has_permission(Permission.STATUS_CHANGE) and is_in_scope


def may_assign(viewer: Viewer, row: Any) -> bool:
    """Whether the viewer may assign the customer; NEW customers have to be verified first."""
    return viewer.has_permission(Permission.CUSTOMER_ASSIGN) and row.stage != CustomerStage.NEW


def may_claim(viewer: Viewer, row: Any) -> bool:
    """Whether the viewer may claim the customer from the pool or from the queue of an own department. API keys cannot
    claim."""
    is_queued = row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id in viewer.department_ids
    is_free = row.stage == CustomerStage.POOL or is_queued
    return viewer.agent_id is not None and viewer.has_permission(Permission.CUSTOMER_CLAIM) and is_free


def may_release(viewer: Viewer, row: Any) -> bool:
    """Whether the viewer may release the customer: their own with CUSTOMER_UPDATE, others with CUSTOMER_ASSIGN."""
    may_release_own = permissions.is_owner(viewer, row) and viewer.has_permission(Permission.CUSTOMER_UPDATE)
    return row.stage == CustomerStage.FOLLOW_UP and (
        may_release_own or viewer.has_permission(Permission.CUSTOMER_ASSIGN)
    )


def may_verify(viewer: Viewer) -> bool:
    return viewer.has_permission(Permission.CUSTOMER_UPDATE) and viewer.has_permission(Permission.CUSTOMER_VIEW_ALL)


def _check_permission(permission: Permission) -> Callable[[Viewer, Any], bool]:
    """A check for the permission and for customers that the viewer may change."""
    return lambda viewer, row: viewer.has_permission(permission) and permissions.may_change(viewer, row)


_may_archive = _check_permission(Permission.CUSTOMER_ARCHIVE)
_may_block = _check_permission(Permission.CUSTOMER_BLOCK)
_may_merge = _check_permission(Permission.CUSTOMER_MERGE)
_may_delete = _check_permission(Permission.CUSTOMER_DELETE)

_CHECKS: Final[Mapping[CustomerAction, ActionCheck]] = {
    CustomerAction.UPDATE: lambda viewer, row, blocked: _is_live(row) and may_update(viewer, row),
    CustomerAction.TAG: lambda viewer, row, blocked: _is_live(row) and may_tag(viewer, row),
    CustomerAction.CHANGE_STATUS: lambda viewer, row, blocked: (
        _is_live(row) and may_update(viewer, row) and may_change_status(viewer, row)
    ),
    CustomerAction.ASSIGN: lambda viewer, row, blocked: _is_live(row) and not blocked and may_assign(viewer, row),
    CustomerAction.CLAIM: lambda viewer, row, blocked: _is_live(row) and not blocked and may_claim(viewer, row),
    CustomerAction.RELEASE: lambda viewer, row, blocked: _is_live(row) and may_release(viewer, row),
    CustomerAction.VERIFY: lambda viewer, row, blocked: (
        _is_live(row) and may_verify(viewer) and row.stage == CustomerStage.NEW
    ),
    CustomerAction.ARCHIVE: lambda viewer, row, blocked: _is_live(row) and _may_archive(viewer, row),
    CustomerAction.UNARCHIVE: lambda viewer, row, blocked: not _is_live(row) and _may_archive(viewer, row),
    CustomerAction.BLOCK: lambda viewer, row, blocked: _is_live(row) and _may_block(viewer, row),
    CustomerAction.UNBLOCK: lambda viewer, row, blocked: _is_live(row) and blocked and _may_block(viewer, row),
    CustomerAction.MERGE: lambda viewer, row, blocked: _is_live(row) and _may_merge(viewer, row),
    CustomerAction.DELETE: lambda viewer, row, blocked: _may_delete(viewer, row),
    CustomerAction.NOTE: lambda viewer, row, blocked: _is_live(row) and viewer.has_permission(Permission.NOTE_WRITE),
    CustomerAction.EXPORT: lambda viewer, row, blocked: viewer.has_permission(Permission.CUSTOMER_EXPORT),
}
