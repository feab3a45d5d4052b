"""The order of the checks on a customer: NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, CUSTOMER_BLOCKED, then the rule
itself."""

from crm.access import permissions
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, Path, check_version
from crm.unit_of_work import UnitOfWork


def check_preconditions(
    unit: UnitOfWork,
    state: LoadedCustomer,
    path: Path,
    *,
    foreign: bool = False,
    archived: bool = False,
    if_version: int | None = None,
) -> None:
    """Checks that the viewer may change the customer.

    Raises InputError FORBIDDEN unless `foreign`, CUSTOMER_ARCHIVED unless `archived`, and ConflictError if the version
    differs."""
    row = state.row
    if not foreign and not permissions.may_change(unit.viewer, row):
        message = f"“{row.name}” belongs to another agent; ask to be assigned or for the permission CUSTOMER_VIEW_ALL."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    if not archived and state.is_archived:
        message = f"“{row.name}” is archived; unarchive the customer first."
        raise InputError(ErrorCode.CUSTOMER_ARCHIVED, message, path)
    check_version(row, if_version)


def check_not_blocked(unit: UnitOfWork, state: LoadedCustomer, path: Path, action: str = "assigned") -> None:
    """Raises InputError CUSTOMER_BLOCKED if the customer is blocked; `action` is what cannot be done."""
    if state.is_blocked(unit.now):
        message = f"“{state.row.name}” is blocked and cannot be {action}; unblock the customer first."
        raise InputError(ErrorCode.CUSTOMER_BLOCKED, message, path)
