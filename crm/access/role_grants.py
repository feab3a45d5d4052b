"""Giving roles and permissions: nobody gives what he does not hold himself."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm.access import permissions as access
from crm.errors import ErrorCode, InputError, Path, raise_errors
from crm.unit_of_work import UnitOfWork
from db.tables.enums import Permission, Role

PermissionExceptions = Mapping[Permission, bool]
"""What was granted to an agent beyond his role (True), and what was revoked from it."""


def check_role(unit: UnitOfWork, wanted: Role, path: Path) -> int:
    """Raises InputError FORBIDDEN where it brings more than the viewer holds."""
    if lacking := access.ROLE_PERMISSIONS[wanted] - unit.viewer.permissions:
        message = f"The role {wanted.name} brings {_first(lacking)}, which you do not hold; ask somebody who does."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    return int(wanted)


def check_permissions(unit: UnitOfWork, wanted: Sequence[int], path: Path) -> list[Permission]:
    """Each once, in declared order. Raises InputError FORBIDDEN at the one that the viewer does not hold."""
    lacking = [place for place, one in enumerate(wanted) if not unit.viewer.has_permission(Permission(one))]
    raise_errors(
        [
            InputError(
                ErrorCode.FORBIDDEN,
                f"You do not hold {Permission(wanted[place]).name} yourself, so you cannot give it.",
                (*path, place),
            )
            for place in lacking
        ]
    )
    return sorted({Permission(one) for one in wanted})


def check_holds_all(unit: UnitOfWork, held: Iterable[Permission], name: str, path: Path) -> None:
    """Raises InputError FORBIDDEN where somebody holds more than the viewer: then the viewer cannot let anyone in as
    him."""
    if lacking := frozenset(held) - unit.viewer.permissions:
        message = f"{name} holds {_first(lacking)}, which you do not; ask somebody who does to change this."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def changed_exceptions(
    stored: PermissionExceptions, granted: Iterable[int], revoked: Iterable[int]
) -> dict[Permission, bool]:
    """The exceptions afterwards: the last word on a permission counts."""
    return {
        **stored,
        **{Permission(one): True for one in granted},
        **{Permission(one): False for one in revoked},
    }


def permissions_with_exceptions(role: int, exceptions: PermissionExceptions) -> frozenset[Permission]:
    """What an agent of that role may do."""
    granted = [one for one, given in exceptions.items() if given]
    revoked = [one for one, given in exceptions.items() if not given]
    return access.effective_permissions(Role(role), granted=granted, revoked=revoked)


def exceptions_from_rows(rows: Iterable[Any]) -> dict[Permission, bool]:
    """From the rows that keep them."""
    return {Permission(row.permission): bool(row.granted) for row in rows}


def _first(lacking: frozenset[Permission]) -> str:
    return min(lacking).name
