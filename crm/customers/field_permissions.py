"""The parts of an input that need a permission of their own: statuses, the owner, tags."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from crm.customers import allowed_actions
from crm.customers.inputs import CustomerChange
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from db.tables.enums import Permission


def check_status(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """By hand it needs the permission, and the customer for one's own; on create it does not. Raises InputError."""
    if not state.is_new and not allowed_actions.may_change_status(unit.viewer, state.row):
        message = f"You may not change the statuses of “{state.row.name}” (STATUS_CHANGE)."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def check_owner(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """Raises InputError."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_ASSIGN):
        message = f"You may not choose who looks after “{state.row.name}” (CUSTOMER_ASSIGN)."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def check_tags(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """Raises InputError."""
    if not unit.viewer.has_permission(Permission.TAG_ASSIGN):
        message = "You may not put tags on customers or take them off (TAG_ASSIGN)."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def permission_errors(unit: UnitOfWork, state: LoadedCustomer, change: CustomerChange) -> list[InputError]:
    """What of the change the viewer may not do to this customer: it is judged before the customer is archived."""
    found: list[InputError] = []
    for key, name, check, differs in _PARTS:
        if change.has(key) and differs(state.row, change):
            try:
                check(unit, state, change.path_to(name))
            except InputError as refused:
                found.append(refused)
    return found


def _moves(key: str) -> Callable[[Any, CustomerChange], bool]:
    return lambda row, change: change.data[key] not in (None, getattr(row, key))


_PARTS: Final[
    Sequence[tuple[str, str, Callable[[UnitOfWork, LoadedCustomer, Path], None], Callable[[Any, CustomerChange], bool]]]
] = (
    ("relationship_status", "relationshipStatus", check_status, _moves("relationship_status")),
    ("subscription_status", "subscriptionStatus", check_status, _moves("subscription_status")),
    ("owner", "owner", check_owner, lambda row, change: change.owner is not None and change.owner.id != row.owner_id),
    ("tags", "tags", check_tags, lambda row, change: True),
)
