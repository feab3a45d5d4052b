"""Validation of inputs: errors are collected, so that a person sees all of them at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from crm.errors import ErrorCode, InputError, InputErrors, LimitError, Path, raise_errors
from crm.unit_of_work import UnitOfWork
from db.queries import accounts

T = TypeVar("T")

InputData = Mapping[str, Any]
"""An input as plain data: absent keys are missing, null is None."""

MAX_LIST_ITEMS: Final = 1_000
"""Maximum number of items in a list without pages and in a list argument."""

MAX_INTEGER: Final = 2**31 - 1
"""The largest whole number that clients can send."""


class ErrorCollector:
    """Collects the errors of several checks."""

    def __init__(self) -> None:
        self.errors: list[InputError] = []

    def check(self, check: Callable[..., T], *arguments: Any, **options: Any) -> T | None:
        """The result of the check; None if it raises an input error, which is collected."""
        try:
            return check(*arguments, **options)
        except (InputError, InputErrors) as error:
            self.errors += error.errors
            return None

    async def check_async(self, check: Awaitable[T]) -> T | None:
        """The same for an asynchronous check."""
        try:
            return await check
        except (InputError, InputErrors) as error:
            self.errors += error.errors
            return None

    def add(self, code: ErrorCode, message: str, path: Path) -> None:
        self.errors.append(InputError(code, message, path))

    def raise_if_any(self) -> None:
        """Raises the collected errors if there are any."""
        raise_errors(self.errors)


async def lock_by_name(unit: UnitOfWork, what: str) -> None:
    """Locks the name within the workspace until this unit of work ends."""
    await accounts.lock_names(unit.transaction, [f"{what} {unit.workspace_id}"])


def check_list_has_room(count: int, what: str) -> None:
    """Raises LimitError if a list without pages is full. `what` is the plural noun for the message."""
    if count >= MAX_LIST_ITEMS:
        message = f"A workspace can have at most {MAX_LIST_ITEMS} {what}; delete one that is no longer needed."
        raise LimitError(message, ("input",), limit=MAX_LIST_ITEMS, current=count + 1)


def check_list_length(items: Sequence[Any] | None, path: Path, *, max_items: int = MAX_LIST_ITEMS) -> Sequence[Any]:
    """The list, empty for null. Raises LimitError if it is too long."""
    if items is not None and len(items) > max_items:
        message = f"This list can have at most {max_items} items, but you gave {len(items)}."
        raise LimitError(message, path, limit=max_items, current=len(items))
    return items or ()


def require_value(value: Any, path: Path) -> Any:
    """The value. Raises InputError for null where a value is required."""
    if value is None:
        raise InputError(ErrorCode.INVALID, "This cannot be empty; leave it out to keep the current value.", path)
    return value


def next_position(positions: Iterable[int]) -> int:
    """The position after all others, limited to MAX_INTEGER."""
    return min(max(positions, default=-1) + 1, MAX_INTEGER)


def check_integer(value: int, path: Path, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
    """The number. Raises InputError if it is out of range."""
    if not minimum <= value <= maximum:
        expected = f"at least {minimum}" if maximum == MAX_INTEGER else f"from {minimum} to {maximum}"
        raise InputError(ErrorCode.INVALID, f"{value} is out of range; enter a number {expected}.", path)
    return value
