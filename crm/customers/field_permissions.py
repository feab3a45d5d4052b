"""The parts of an input that need their own permission: statuses, the owner, tags."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from crm.customers import allowed_actions
from crm.customers.inputs import CustomerChange
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from db.tables.enums import Permission


def check_status(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """Raises InputError FORBIDDEN if the viewer may not change the statuses of an existing customer. New customers need
    no permission."""
    if not state.is_new and not allowed_actions.may_change_status(unit.viewer, state.row):
        message = (
            f"Changing the statuses of “{state.row.name}” needs the permission STATUS_CHANGE and, without "
            "CUSTOMER_VIEW_ALL, that you own the customer."
        )
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def check_owner(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """Raises InputError FORBIDDEN."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_ASSIGN):
        message = f"Choosing the owner of “{state.row.name}” needs the permission CUSTOMER_ASSIGN."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def check_tags(unit: UnitOfWork, state: LoadedCustomer, path: Path) -> None:
    """Raises InputError FORBIDDEN."""
    if not unit.viewer.has_permission(Permission.TAG_ASSIGN):
        message = "Adding or removing tags of customers needs the permission TAG_ASSIGN."
        raise InputError(ErrorCode.FORBIDDEN, message, path)


def permission_errors(unit: UnitOfWork, state: LoadedCustomer, change: CustomerChange) -> list[InputError]:
    """Errors for the parts of the change that the viewer may not make. They are checked before the customer's
    archiving."""
    errors: list[InputError] = []
    for key, name, check, is_changed in _PROTECTED_PARTS:
        if change.has(key) and is_changed(state.row, change):
            try:
                check(unit, state, change.path_to(name))
            except InputError as error:
                errors.append(error)
    return errors


def _changes_column(key: str) -> Callable[[Any, CustomerChange], bool]:
    return lambda row, change: change.data[key] not in (None, getattr(row, key))


_PROTECTED_PARTS: Final[
    Sequence[tuple[str, str, Callable[[UnitOfWork, LoadedCustomer, Path], None], Callable[[Any, CustomerChange], bool]]]
] = (
    ("relationship_status", "relationshipStatus", check_status, _changes_column("relationship_status")),
    ("subscription_status", "subscriptionStatus", check_status, _changes_column("subscription_status")),
    ("owner", "owner", check_owner, lambda row, change: change.owner is not None and change.owner.id != row.owner_id),
    ("tags", "tags", check_tags, lambda row, change: True),
)
