"""Checking an input: what is wrong with it is gathered, so that a person sees all of it at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from crm.errors import ErrorCode, InputError, InputErrors, LimitError, Path, raise_errors
from crm.unit_of_work import UnitOfWork
from db.queries import accounts

T = TypeVar("T")

InputData = Mapping[str, Any]
"""An input as plain data: what is absent is not in it, what is null is None."""

MAX_LIST_ITEMS: Final = 1_000
"""Of what a list without pages holds, and of what one argument lists."""

MAX_INTEGER: Final = 2**31 - 1
"""Of the whole numbers that clients can send."""


class ErrorCollector:
    """What was refused so far."""

    def __init__(self) -> None:
        self.errors: list[InputError] = []

    def check(self, check: Callable[..., T], *arguments: Any, **named: Any) -> T | None:
        """What the check returns; None where it refuses."""
        try:
            return check(*arguments, **named)
        except (InputError, InputErrors) as refused:
            self.errors += refused.errors
            return None

    async def check_async(self, check: Awaitable[T]) -> T | None:
        """The same for a check that asks the database."""
        try:
            return await check
        except (InputError, InputErrors) as refused:
            self.errors += refused.errors
            return None

    def add(self, code: ErrorCode, message: str, path: Path) -> None:
        self.errors.append(InputError(code, message, path))

    def raise_if_any(self) -> None:
        """Raises what was refused, if anything was."""
        raise_errors(self.errors)


async def lock_by_name(unit: UnitOfWork, what: str) -> None:
    """Until this act ends nobody else of the workspace passes here for the same `what`."""
    await accounts.lock_names(unit.transaction, [f"{what} {unit.workspace_id}"])


def check_list_has_room(held: int, what: str) -> None:
    """Raises LimitError where a list without pages is full."""
    if held >= MAX_LIST_ITEMS:
        message = f"There is room for {MAX_LIST_ITEMS} {what}; delete one that is not needed any more."
        raise LimitError(message, ("input",), limit=MAX_LIST_ITEMS, current=held + 1)


def check_list_length(given: Sequence[Any] | None, path: Path, *, most: int = MAX_LIST_ITEMS) -> Sequence[Any]:
    """The list, empty for null. Raises LimitError where it is too long."""
    if given is not None and len(given) > most:
        message = f"There is room for {most} of them; these are {len(given)}."
        raise LimitError(message, path, limit=most, current=len(given))
    return given or ()


def require_value(given: Any, path: Path) -> Any:
    """What was given. Raises InputError for a null where something always stands."""
    if given is None:
        raise InputError(ErrorCode.INVALID, "This cannot be empty; leave it out to keep it as it is.", path)
    return given


def next_position(positions: Iterable[int]) -> int:
    """The place behind all of these; beside the last one where there is none behind it."""
    return min(max(positions, default=-1) + 1, MAX_INTEGER)


def check_integer(given: int, path: Path, *, least: int = 0, most: int = MAX_INTEGER) -> int:
    """Raises InputError for a number that is out of range."""
    if not least <= given <= most:
        reach = f"{least} or more" if most == MAX_INTEGER else f"{least} to {most}"
        raise InputError(ErrorCode.INVALID, f"This takes a number of {reach}; {given} is not.", path)
    return given
