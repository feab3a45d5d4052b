"""Parses filter JSON into an AST and values. All errors of filters are raised here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from db.filtering.errors import Path, QueryError, invalid_query, limit_exceeded
from db.filtering.filter_ast import FilterNode
from db.filtering.filter_context import FilterContext

MAX_FILTER_DEPTH: Final = 8
MAX_PREDICATES: Final = 100
MAX_LISTED_VALUES: Final = 1_000
MAX_EXPANDED_PREDICATES: Final = 1_000
"""Predicates of a filter plus those of all segments that it names, directly or indirectly."""


@dataclass(frozen=True, slots=True)
class ParsedFilter:
    """A parsed filter. `node` is compiled once; `values` are bound to it."""

    node: FilterNode
    values: tuple[Any, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """The values by their parameter names."""
        return {f"f{place}": value for place, value in enumerate(self.values)}


ParseFilter = Callable[["FilterParser", Any, Path], FilterNode]


class FilterParser:
    """The state of one parse: the values, the depth and the number of predicates."""

    def __init__(self, context: FilterContext, parse_customer_filter: ParseFilter) -> None:
        """`parse_customer_filter` parses the stored filters of dynamic segments."""
        self.context = context
        self.parse_customer_filter = parse_customer_filter
        self.values: list[Any] = []
        self.depth = 0
        self.predicates = 0
        self.expanded = 0
        self.open_segments: tuple[bytes, ...] = ()
        """The segments whose filters are being parsed, outermost first."""

    def add_value(self, value: Any) -> int:
        """Adds a value and returns its index."""
        self.values.append(value)
        return len(self.values) - 1

    def enter(self, path: Path) -> None:
        self.depth += 1
        if self.depth > MAX_FILTER_DEPTH:
            raise limit_exceeded(
                f"Filters nest at most {MAX_FILTER_DEPTH} deep: `{'.'.join(path)}` is deeper.", path, MAX_FILTER_DEPTH
            )

    def leave(self) -> None:
        self.depth -= 1

    def count_predicate(self, path: Path) -> None:
        """Counts one predicate. Raises QueryError LIMIT_EXCEEDED."""
        self.predicates += 1
        self.expanded += 1
        if self.predicates > MAX_PREDICATES:
            message = f"A filter has at most {MAX_PREDICATES} predicates: `{'.'.join(path)}` is one too many."
            raise limit_exceeded(message, path, MAX_PREDICATES)
        if self.expanded > MAX_EXPANDED_PREDICATES:
            message = f"With the segments that it names, the filter has more than {MAX_EXPANDED_PREDICATES} predicates."
            raise limit_exceeded(message, path, MAX_EXPANDED_PREDICATES)

    def begin_stored_filter(self) -> tuple[int, int]:
        """Starts a stored filter, which has its own depth and predicates. Pass the result to `end_stored_filter`."""
        counts = self.depth, self.predicates
        self.depth = self.predicates = 0
        return counts

    def end_stored_filter(self, counts: tuple[int, int]) -> None:
        self.depth, self.predicates = counts


def read_object(plain: Any, path: Path) -> Mapping[str, Any]:
    """An object of a filter. Raises QueryError for other values, including null."""
    if not isinstance(plain, Mapping):
        raise _wrong(plain, "an object", path)
    for name, value in plain.items():
        if value is None:
            here = (*path, str(name))
            raise invalid_query(f"`{'.'.join(here)}` is null; leave it out, or ask with isNull.", here)
    return plain


def read_list(plain: Any, path: Path) -> Sequence[Any]:
    """A list of a filter, with at most MAX_LISTED_VALUES values."""
    if not isinstance(plain, list | tuple):
        raise _wrong(plain, "a list", path)
    if len(plain) > MAX_LISTED_VALUES:
        message = f"`{'.'.join(path)}` lists {len(plain)} values; at most {MAX_LISTED_VALUES} are taken."
        raise limit_exceeded(message, path, MAX_LISTED_VALUES)
    for place, value in enumerate(plain):
        if value is None:
            here = (*path, str(place))
            raise invalid_query(f"`{'.'.join(here)}` is null.", here)
    return plain


def read_text(plain: Any, path: Path) -> str:
    if not isinstance(plain, str):
        raise _wrong(plain, "a text", path)
    if "\0" in plain:
        raise invalid_query(f"`{'.'.join(path)}` holds a character that no text has.", path)
    return plain


def read_boolean(plain: Any, path: Path) -> bool:
    if not isinstance(plain, bool):
        raise _wrong(plain, "true or false", path)
    return plain


def unknown_field(name: str, path: Path) -> QueryError:
    return invalid_query(f"There is no `{name}` to filter by at `{'.'.join(path)}`.", (*path, name))


def _wrong(plain: Any, wanted: str, path: Path) -> QueryError:
    what = "null" if plain is None else f"{str(plain)[:50]!r}"
    return invalid_query(f"`{'.'.join(path)}` takes {wanted}, not {what}.", path)
