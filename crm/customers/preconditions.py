"""The order in which a customer is judged: NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, CUSTOMER_BLOCKED, then the rule."""

from crm.access import permissions
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ConflictError, ErrorCode, InputError, Path
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
    """Raises InputError where the viewer may not work with the customer (unless `foreign` ones are meant as well), where
    it is archived (unless that is no hindrance), and ConflictError where it is at another version."""
    row = state.row
    if not foreign and not permissions.may_change(unit.viewer, row):
        message = f"“{row.name}” is somebody else's customer; ask for CUSTOMER_VIEW_ALL, or to be assigned."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    if not archived and state.is_archived:
        message = f"“{row.name}” is archived; unarchive the customer first."
        raise InputError(ErrorCode.CUSTOMER_ARCHIVED, message, path)
    if if_version is not None and if_version != row.version:
        raise ConflictError(row)
