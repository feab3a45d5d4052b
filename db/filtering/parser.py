"""From a filter as plain data, just as JSON has it, to its shape and its values; whatever is wrong is refused here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from db.filtering.errors import Path, QueryError, invalid, too_many
from db.filtering.filter_ast import Shape
from db.filtering.filter_context import Circumstances

DEPTH: Final = 8
PREDICATES: Final = 100
LISTED: Final = 1_000
EXPANDED: Final = 1_000
"""Predicates of a filter together with those of the segments that it names, and of those that they name."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a filter says: `shape` is compiled once, `values` are bound to it."""

    shape: Shape
    values: tuple[Any, ...] = ()

    @property
    def bound(self) -> dict[str, Any]:
        """The values by the names that a compiled shape gives them."""
        return {f"f{place}": value for place, value in enumerate(self.values)}


class Reader:
    """One reading: its values so far, how deep it is, how much was asked."""

    def __init__(self, circumstances: Circumstances) -> None:
        self.circumstances = circumstances
        self.values: list[Any] = []
        self.depth = 0
        self.predicates = 0
        self.expanded = 0
        self.within: tuple[bytes, ...] = ()
        """The segments that are being read, outermost first."""

    def value(self, value: Any) -> int:
        """The value's place."""
        self.values.append(value)
        return len(self.values) - 1

    def deeper(self, path: Path) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            raise too_many(f"Filters nest at most {DEPTH} deep: `{'.'.join(path)}` is deeper.", path, DEPTH)

    def higher(self) -> None:
        self.depth -= 1

    def predicate(self, path: Path) -> None:
        """Counts one more."""
        self.predicates += 1
        self.expanded += 1
        if self.predicates > PREDICATES:
            message = f"A filter has at most {PREDICATES} predicates: `{'.'.join(path)}` is one too many."
            raise too_many(message, path, PREDICATES)
        if self.expanded > EXPANDED:
            message = f"With the segments that it names, the filter has more than {EXPANDED} predicates."
            raise too_many(message, path, EXPANDED)

    def elsewhere(self) -> tuple[int, int]:
        """Begins a stored filter, which has its own depth and predicates; give what is returned to `back`."""
        counts = self.depth, self.predicates
        self.depth = self.predicates = 0
        return counts

    def back(self, counts: tuple[int, int]) -> None:
        self.depth, self.predicates = counts


def record(plain: Any, path: Path) -> Mapping[str, Any]:
    """An object of a filter. Raises QueryError for anything else, null above all."""
    if not isinstance(plain, Mapping):
        raise _wrong(plain, "an object", path)
    for name, value in plain.items():
        if value is None:
            here = (*path, str(name))
            raise invalid(f"`{'.'.join(here)}` is null; leave it out, or ask with isNull.", here)
    return plain


def items(plain: Any, path: Path) -> Sequence[Any]:
    """A list of a filter, of LISTED at most."""
    if not isinstance(plain, list | tuple):
        raise _wrong(plain, "a list", path)
    if len(plain) > LISTED:
        message = f"`{'.'.join(path)}` lists {len(plain)} values; at most {LISTED} are taken."
        raise too_many(message, path, LISTED)
    for place, value in enumerate(plain):
        if value is None:
            here = (*path, str(place))
            raise invalid(f"`{'.'.join(here)}` is null.", here)
    return plain


def text(plain: Any, path: Path) -> str:
    if not isinstance(plain, str):
        raise _wrong(plain, "a text", path)
    if "\0" in plain:
        raise invalid(f"`{'.'.join(path)}` holds a character that no text has.", path)
    return plain


def boolean(plain: Any, path: Path) -> bool:
    if not isinstance(plain, bool):
        raise _wrong(plain, "true or false", path)
    return plain


def unknown(name: str, path: Path) -> QueryError:
    return invalid(f"There is no `{name}` to filter by at `{'.'.join(path)}`.", (*path, name))


def _wrong(plain: Any, wanted: str, path: Path) -> QueryError:
    what = "null" if plain is None else f"{str(plain)[:50]!r}"
    return invalid(f"`{'.'.join(path)}` takes {wanted}, not {what}.", path)
