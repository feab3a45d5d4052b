"""Keyset pages: a list is read from a row onwards, so every page costs the same."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy import literal_column as literally

from db.engine import Session
from db.filtering.compiler import ConditionCompiler
from db.paging.cursors import CursorPosition, decode_cursor, encode_cursor, sort_label
from db.paging.sorting import NEWEST_FIRST, Sort, SortKey, ValueKind
from db.statements import DialectStatement, PreparedStatement
from db.tables.column_types import Id
from db.tables.column_types import Key as KeyText

DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 250


@dataclass(slots=True)
class PageRequest:
    """The requested part of a list: `size` rows after one cursor and before another, from the end if `backwards`."""

    size: int = DEFAULT_PAGE_SIZE
    after: str | None = None
    before: str | None = None
    backwards: bool = False


@dataclass(slots=True)
class Page:
    """Rows in list order, and whether the list continues on either side. `sort` creates their cursors."""

    rows: Sequence[Any]
    has_next: bool
    has_previous: bool
    sort: Sort = NEWEST_FIRST

    def cursor(self, row: Any) -> str:
        return encode_cursor(self.sort, row)


@dataclass(slots=True)
class ListQuery:
    """A query of a list. `key` is equal for queries that differ in `parameters` only. `build` creates the SELECT for a
    dialect; `row` is the table that is sorted. `ids` are the rows' ids in another table of the SELECT whose index has
    them in order."""

    key: Hashable
    build: Callable[[str], Select[Any]]
    row: Any
    sees_all: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ids: Any = None


async def count_rows(session: Session, listing: ListQuery, at_most: int | None = None) -> int:
    """The length of the list; counting stops at `at_most`."""
    found: int = (await session.fetch_all(_count(ListQueryKey(listing), at_most), **listing.parameters))[0].count
    return found


@lru_cache(maxsize=500)
def _count(kept: "ListQueryKey", at_most: int | None) -> PreparedStatement[Any]:
    return DialectStatement(lambda dialect: count_select(kept.listing, dialect, at_most))


def count_select(listing: ListQuery, dialect: str, at_most: int | None) -> Select[Any]:
    """A SELECT of the number of rows, or of `at_most`."""
    number = func.count().label("count")
    found = listing.build(dialect)
    if at_most is None:
        return found.with_only_columns(number, maintain_column_froms=True)
    some = found.with_only_columns(listing.row.id, maintain_column_froms=True).limit(literally(str(at_most)))
    return select(number).select_from(some.subquery())


async def fetch_page(session: Session, listing: ListQuery, window: PageRequest, sort: Sort = NEWEST_FIRST) -> Page:
    """A page of the list in that order. Raises QueryError BAD_CURSOR."""
    rows: list[Any] = []
    reads = page_phases(sort, window)
    for each in reads:
        missing = window.size + 1 - len(rows)
        if missing > 0:
            statement = _statement(ListQueryKey(listing), sort.cache_key, each.cache_key, window.backwards, missing)
            rows += await session.fetch_pruned(statement, **listing.parameters, **sort.parameters, **each.parameters)
    more = len(rows) > window.size
    rows = rows[: window.size]
    if window.backwards:
        rows.reverse()
        return Page(rows, has_next=window.before is not None, has_previous=more, sort=sort)
    return Page(rows, has_next=more, has_previous=window.after is not None, sort=sort)


# ── phases ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class PagePhase:
    """A part of the list that is one range of an index: the first key has a value (True), has none (False), or all rows
    (None). `after` and `before` tell which values of the cursors are null."""

    present: bool | None
    after: tuple[bool, ...] | None
    before: tuple[bool, ...] | None
    parameters: Mapping[str, Any]

    @property
    def cache_key(self) -> tuple[Any, ...]:
        return (self.present, self.after, self.before)


def page_phases(sort: Sort, window: PageRequest) -> list[PagePhase]:
    """The parts of the requested page in reading order."""
    if not sort.keys and window.after is None and window.before is None:
        return _WHOLE
    after = None if window.after is None else decode_cursor(sort, window.after, "after")
    before = None if window.before is None else decode_cursor(sort, window.before, "before")
    parts: list[bool | None] = [None]
    if sort.keys and sort.keys[0].nullable:
        parts = [False, True] if sort.keys[0].nulls_first else [True, False]
    first = parts.index(_part(after)) if after and len(parts) > 1 else 0
    last = parts.index(_part(before)) if before and len(parts) > 1 else len(parts) - 1
    found = []
    for place in range(first, last + 1):
        begins = after if place == first else None
        ends = before if place == last else None
        values = _bound("a", begins) | _bound("b", ends)
        found.append(PagePhase(parts[place], _nulls(begins), _nulls(ends), values))
    return found[::-1] if window.backwards else found


_WHOLE: Final = [PagePhase(None, None, None, {})]


def check_request(sort: Sort, window: PageRequest) -> None:
    """Raises QueryError BAD_CURSOR for a cursor of another list or order."""
    if window.after is not None or window.before is not None:
        page_phases(sort, window)


def _part(place: CursorPosition) -> bool:
    return place.values[0] is not None


def _nulls(place: CursorPosition | None) -> tuple[bool, ...] | None:
    return None if place is None else tuple(value is None for value in place.values)


def _bound(side: str, place: CursorPosition | None) -> dict[str, Any]:
    if place is None:
        return {}
    values = {f"{side}{number}": value for number, value in enumerate(place.values) if value is not None}
    return {**values, f"{side}_id": place.id}


# ── statements ────────────────────────────────────────────────────────────────────────────────────────────────────────


class ListQueryKey:
    """A list query as a cache key; its parameters do not count."""

    __slots__ = ("listing",)

    def __init__(self, listing: ListQuery) -> None:
        self.listing = listing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListQueryKey) and self.listing.key == other.listing.key

    def __hash__(self) -> int:
        return hash(self.listing.key)


@lru_cache(maxsize=500)
def _statement(
    kept: ListQueryKey, sort: tuple[Any, ...], phase: tuple[Any, ...], backwards: bool, size: int
) -> PreparedStatement[Any]:
    """The number of rows is a literal: a database that does not know it plans for a tenth of the table."""
    listing = kept.listing

    def build(dialect: str) -> Select[Any]:
        return ordered_select(listing, dialect, sort, phase, backwards).limit(literally(str(size)))

    return DialectStatement(build, reads=listing.row)


def ordered_select(
    listing: ListQuery,
    dialect: str,
    sort: tuple[Any, ...],
    phase: tuple[Any, ...] = (None, None, None),
    backwards: bool = False,
    *,
    wanted: bool = True,
) -> Select[Any]:
    """The rows in order, from one end of the page to the other, with the values for cursors if `wanted`."""
    descending, shapes = sort
    present, after, before = phase
    keys = [SortKey(expression, down, nulls_first) for expression, down, nulls_first in shapes]
    writer = ConditionCompiler(dialect, sees_all=listing.sees_all)
    found, expressions = _expressions(listing.build(dialect), listing, keys, present, writer, backwards=backwards)
    if wanted:
        found = found.add_columns(*(each.label(sort_label(place)) for place, each in enumerate(expressions)))
    steps = _steps(keys, expressions, present)
    ids = listing.row.id if listing.ids is None else listing.ids
    for side, nulls in (("a", after), ("b", before)):
        if nulls is not None:
            found = found.where(_beyond(steps, nulls, side, ids, descending))
    down = descending is not backwards
    order = [part for step in steps for part in step.order(backwards)]
    return found.order_by(*order, ids.desc() if down else ids.asc())


def _expressions(
    found: Select[Any],
    listing: ListQuery,
    keys: Sequence[SortKey],
    present: bool | None,
    writer: ConditionCompiler,
    *,
    backwards: bool,
) -> tuple[Select[Any], list[Any]]:
    expressions: list[Any] = []
    for place, key in enumerate(keys):
        if place == 0 and present is False:
            found = key.expression.absent(found, listing.row, place)
            expressions.append(literally("NULL", type_=_TYPES[key.expression.kind]))
            continue
        if place == 0 and (present or not key.nullable):
            down = key.descending is not backwards
            found, expression = key.expression.present(found, listing.row, place, writer, down=down)
        else:
            found, expression = key.expression.ordered_by(found, listing.row, place, writer)
        expressions.append(expression)
    return found, expressions


@dataclass(frozen=True, slots=True)
class _Step:
    """One sort key within a phase. `place` is its index in the sort."""

    place: int
    expression: Any
    key: SortKey
    nullable: bool

    def order(self, backwards: bool) -> list[Any]:
        down = self.key.descending is not backwards
        order = [self.expression.desc() if down else self.expression.asc()]
        if self.nullable:
            empty = self.expression.is_(None)
            nulls_first = self.key.nulls_first is not backwards
            order.insert(0, empty.desc() if nulls_first else empty.asc())
        return order


def _steps(keys: Sequence[SortKey], expressions: Sequence[Any], present: bool | None) -> list[_Step]:
    steps = [
        _Step(place, expression, key, key.nullable and not (place == 0 and present))
        for place, (key, expression) in enumerate(zip(keys, expressions, strict=True))
    ]
    return steps[1:] if present is False else steps


_TYPES: Final[Mapping[ValueKind, Any]] = {
    "text": KeyText,
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "bytes": Id,
}


def _beyond(
    steps: Sequence[_Step], nulls: Sequence[bool], side: str, identifier: Any, descending: bool
) -> ColumnElement[bool]:
    """The rows after the cursor (side a), or before it (side b)."""
    forwards = side == "a"
    last = bindparam(f"{side}_id", type_=Id)
    alike = all(step.key.descending is descending and not step.nullable for step in steps)
    if alike:
        # One row comparison, which both databases read as one range of an index.
        left = [*(step.expression for step in steps), identifier]
        right = [*(_value(step, side) for step in steps), last]
        if len(left) == 1:
            return _after(identifier, last, down=descending is forwards)
        return _after(tuple_(*left), tuple_(*right), down=descending is forwards)
    says = _after(identifier, last, down=descending is forwards)
    for step in reversed(steps):
        says = _behind(step, nulls[step.place], side, says)
    return says


def _after(one: Any, other: Any, *, down: bool) -> ColumnElement[bool]:
    says: ColumnElement[bool] = one < other if down else one > other
    return says


def _behind(step: _Step, null: bool, side: str, then: ColumnElement[bool]) -> ColumnElement[bool]:
    forwards = side == "a"
    nulls_behind = step.key.nulls_first is not forwards
    if null:
        same = and_(step.expression.is_(None), then)
        return same if nulls_behind else or_(step.expression.is_not(None), same)
    value = _value(step, side)
    behind = step.expression < value if step.key.descending is forwards else step.expression > value
    says = or_(behind, and_(step.expression == value, then))
    if step.nullable:
        return or_(says, step.expression.is_(None)) if nulls_behind else says
    # The bound alone is the start of the index range.
    bound = step.expression <= value if step.key.descending is forwards else step.expression >= value
    return and_(bound, says)


def _value(step: _Step, side: str) -> Any:
    return bindparam(f"{side}{step.place}", type_=_TYPES[step.key.expression.kind])
