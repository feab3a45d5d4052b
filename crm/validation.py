"""Checking an input: what is wrong with it is gathered, so that a person sees all of it at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from crm.errors import ErrorCode, LimitRefused, Path, Refusals, Refused, refuse
from crm.unit_of_work import Act
from db.queries import accounts

T = TypeVar("T")

Given = Mapping[str, Any]
"""An input as plain data: what is absent is not in it, what is null is None."""

MOST: Final = 1_000
"""Of what a list without pages holds, and of what one argument lists."""

HIGHEST: Final = 2**31 - 1
"""Of the whole numbers that clients can send."""


class Checks:
    """What was refused so far."""

    def __init__(self) -> None:
        self.refused: list[Refused] = []

    def read(self, check: Callable[..., T], *arguments: Any, **named: Any) -> T | None:
        """What the check returns; None where it refuses."""
        try:
            return check(*arguments, **named)
        except (Refused, Refusals) as refused:
            self.refused += refused.refusals
            return None

    async def wait(self, check: Awaitable[T]) -> T | None:
        """The same for a check that asks the database."""
        try:
            return await check
        except (Refused, Refusals) as refused:
            self.refused += refused.refusals
            return None

    def refuse(self, code: ErrorCode, message: str, path: Path) -> None:
        self.refused.append(Refused(code, message, path))

    def end(self) -> None:
        """Raises what was refused, if anything was."""
        refuse(self.refused)


async def take_turn(act: Act, what: str) -> None:
    """Until this act ends nobody else of the workspace passes here for the same `what`."""
    await accounts.take_turn(act.work, [f"{what} {act.workspace_id}"])


def room(held: int, what: str) -> None:
    """Raises LimitRefused where a list without pages is full."""
    if held >= MOST:
        message = f"There is room for {MOST} {what}; delete one that is not needed any more."
        raise LimitRefused(message, ("input",), limit=MOST, current=held + 1)


def listed(given: Sequence[Any] | None, path: Path, *, most: int = MOST) -> Sequence[Any]:
    """The list, empty for null. Raises LimitRefused where it is too long."""
    if given is not None and len(given) > most:
        message = f"There is room for {most} of them; these are {len(given)}."
        raise LimitRefused(message, path, limit=most, current=len(given))
    return given or ()


def present(given: Any, path: Path) -> Any:
    """What was given. Raises Refused for a null where something always stands."""
    if given is None:
        raise Refused(ErrorCode.INVALID, "This cannot be empty; leave it out to keep it as it is.", path)
    return given


def behind(positions: Iterable[int]) -> int:
    """The place behind all of these; beside the last one where there is none behind it."""
    return min(max(positions, default=-1) + 1, HIGHEST)


def whole(given: int, path: Path, *, least: int = 0, most: int = HIGHEST) -> int:
    """Raises Refused for a number that is out of range."""
    if not least <= given <= most:
        reach = f"{least} or more" if most == HIGHEST else f"{least} to {most}"
        raise Refused(ErrorCode.INVALID, f"This takes a number of {reach}; {given} is not.", path)
    return given
