"""What a viewer may do to a customer now: the same questions that the mutations ask."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from crm.access import permissions
from crm.access.permissions import Viewer
from crm.assignment.claims import ClaimAllowance
from db.tables.enums import CustomerStage, Permission


class CustomerAction(Enum):
    """What can be done to a customer."""

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
"""Asked of the viewer, the customer's row, and whether the customer is blocked at the moment."""


def allowed_actions(viewer: Viewer, row: Any, *, blocked: bool, claims: ClaimAllowance) -> list[CustomerAction]:
    """In declared order. `claims` are asked about customers who are free."""
    found = [action for action, asked in _ASKED.items() if asked(viewer, row, blocked)]
    if CustomerAction.CLAIM in found and (not claims.has_room or claims.must_wait(row, viewer.agent_id)):
        found.remove(CustomerAction.CLAIM)
    return found


def _live(row: Any) -> bool:
    return row.archived_at is None


def may_update(viewer: Viewer, row: Any) -> bool:
    return viewer.has_permission(Permission.CUSTOMER_UPDATE) and permissions.may_change(viewer, row)


def may_tag(viewer: Viewer, row: Any) -> bool:
    """Through an update, so it needs that as well."""
    return may_update(viewer, row) and viewer.has_permission(Permission.TAG_ASSIGN) and bool(row.reseller_relationship)


def may_change_status(viewer: Viewer, row: Any) -> bool:
    """Of customers of one's own, or of all by who sees all."""
    whose = viewer.has_permission(Permission.CUSTOMER_VIEW_ALL) or permissions.is_owner(viewer, row)
    return viewer.has_permission(Permission.STATUS_CHANGE) and whose


def may_assign(viewer: Viewer, row: Any) -> bool:
    """A NEW one has to be verified first."""
    return viewer.has_permission(Permission.CUSTOMER_ASSIGN) and row.stage != CustomerStage.NEW


def may_claim(viewer: Viewer, row: Any) -> bool:
    """From the pool, or from the queue of a department of one's own; keys claim nobody."""
    queued = row.stage == CustomerStage.TO_BE_ASSIGNED and row.department_id in viewer.department_ids
    free = row.stage == CustomerStage.POOL or queued
    return viewer.agent_id is not None and viewer.has_permission(Permission.CUSTOMER_CLAIM) and free


def may_release(viewer: Viewer, row: Any) -> bool:
    """One's own with CUSTOMER_UPDATE, others' with CUSTOMER_ASSIGN."""
    own = permissions.is_owner(viewer, row) and viewer.has_permission(Permission.CUSTOMER_UPDATE)
    return row.stage == CustomerStage.FOLLOW_UP and (own or viewer.has_permission(Permission.CUSTOMER_ASSIGN))


def may_verify(viewer: Viewer) -> bool:
    return viewer.has_permission(Permission.CUSTOMER_UPDATE) and viewer.has_permission(Permission.CUSTOMER_VIEW_ALL)


def _with(permission: Permission) -> Callable[[Viewer, Any], bool]:
    """Who may do it to customers that he works with."""
    return lambda viewer, row: viewer.has_permission(permission) and permissions.may_change(viewer, row)


_may_archive = _with(Permission.CUSTOMER_ARCHIVE)
_may_block = _with(Permission.CUSTOMER_BLOCK)
_may_merge = _with(Permission.CUSTOMER_MERGE)
_may_delete = _with(Permission.CUSTOMER_DELETE)

_ASKED: Final[Mapping[CustomerAction, ActionCheck]] = {
    CustomerAction.UPDATE: lambda viewer, row, blocked: _live(row) and may_update(viewer, row),
    CustomerAction.TAG: lambda viewer, row, blocked: _live(row) and may_tag(viewer, row),
    CustomerAction.CHANGE_STATUS: lambda viewer, row, blocked: (
        _live(row) and may_update(viewer, row) and may_change_status(viewer, row)
    ),
    CustomerAction.ASSIGN: lambda viewer, row, blocked: _live(row) and not blocked and may_assign(viewer, row),
    CustomerAction.CLAIM: lambda viewer, row, blocked: _live(row) and not blocked and may_claim(viewer, row),
    CustomerAction.RELEASE: lambda viewer, row, blocked: _live(row) and may_release(viewer, row),
    CustomerAction.VERIFY: lambda viewer, row, blocked: (
        _live(row) and may_verify(viewer) and row.stage == CustomerStage.NEW
    ),
    CustomerAction.ARCHIVE: lambda viewer, row, blocked: _live(row) and _may_archive(viewer, row),
    CustomerAction.UNARCHIVE: lambda viewer, row, blocked: not _live(row) and _may_archive(viewer, row),
    CustomerAction.BLOCK: lambda viewer, row, blocked: _live(row) and _may_block(viewer, row),
    CustomerAction.UNBLOCK: lambda viewer, row, blocked: _live(row) and blocked and _may_block(viewer, row),
    CustomerAction.MERGE: lambda viewer, row, blocked: _live(row) and _may_merge(viewer, row),
    CustomerAction.DELETE: lambda viewer, row, blocked: _may_delete(viewer, row),
    CustomerAction.NOTE: lambda viewer, row, blocked: _live(row) and viewer.has_permission(Permission.NOTE_WRITE),
    CustomerAction.EXPORT: lambda viewer, row, blocked: viewer.has_permission(Permission.CUSTOMER_EXPORT),
}
