"""Granting roles and permissions: nobody can grant what they do not hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm.access import permissions as access
from crm.errors import ErrorCode, InputError, Path, raise_errors
from crm.unit_of_work import UnitOfWork
from db.tables.enums import Permission, Role

PermissionExceptions = Mapping[Permission, bool]
"""Permissions granted to an agent beyond their role (True), and those revoked from it (False)."""


def check_role(unit: UnitOfWork, role: Role, path: Path) -> int:
    """Raises InputError FORBIDDEN if the role has permissions that the viewer does not hold."""
    if missing := access.ROLE_PERMISSIONS[role] - unit.viewer.permissions:
        message = (
            f"The role {role.name} includes {_first_name(missing)}, which you do not hold; ask somebody who holds it."
        )
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    return int(role)


def check_permissions(unit: UnitOfWork, permissions: Sequence[int], path: Path) -> list[Permission]:
    """The distinct permissions in declared order. Raises InputError FORBIDDEN at each permission that the viewer does
    not hold."""
    missing = [
        index for index, permission in enumerate(permissions) if not unit.viewer.has_permission(Permission(permission))
    ]
    raise_errors(
        [
            InputError(
                ErrorCode.FORBIDDEN,
                f"You cannot grant {Permission(permissions[index]).name}, because you do not hold it yourself.",
                (*path, index),
            )
            for index in missing
        ]
    )
    return sorted({Permission(permission) for permission in permissions})


def check_holds_all(unit: UnitOfWork, permissions: Iterable[Permission], name: str, path: Path) -> None:
    """Raises InputError FORBIDDEN if somebody holds more than the viewer, because the viewer could then sign in as
    them."""
    if missing := frozenset(permissions) - unit.viewer.permissions:
        message = f"{name} holds {_first_name(missing)}, which you do not; ask somebody who holds it to change this."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def changed_exceptions(
    stored: PermissionExceptions, granted: Iterable[int], revoked: Iterable[int]
) -> dict[Permission, bool]:
    """The resulting exceptions: the last change of a permission counts."""
    return {
        **stored,
        **{Permission(permission): True for permission in granted},
        **{Permission(permission): False for permission in revoked},
    }


def permissions_with_exceptions(role: int, exceptions: PermissionExceptions) -> frozenset[Permission]:
    """The permissions of an agent with that role."""
    granted = [permission for permission, is_granted in exceptions.items() if is_granted]
    revoked = [permission for permission, is_granted in exceptions.items() if not is_granted]
    return access.effective_permissions(Role(role), granted=granted, revoked=revoked)


def exceptions_from_rows(rows: Iterable[Any]) -> dict[Permission, bool]:
    """Converts the stored rows."""
    return {Permission(row.permission): bool(row.granted) for row in rows}


def _first_name(missing: frozenset[Permission]) -> str:
    return min(missing).name
