"""Totals of customers, over a whole match and by groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, func, select, union_all
from sqlalchemy import literal_column as literally
from sqlalchemy.orm import aliased

from db import tables
from db.engine import Session
from db.paging.keyset import ListQuery, ListQueryKey
from db.paging.nested_pages import ParentTable
from db.queries.catalogue import tag_counts
from db.queries.matching.grouping import Grouping
from db.statements import ColumnNames, DialectStatement, PreparedStatement, any_of, in_workspace
from db.tables.column_types import Id

# Sums are computed in two halves, each of which fits into SQLite's integers.
_HALF: Final = 1_000_000
_PLACE: Final = Decimal("0.0001")
# Sources per statement; a page has at most 250 parents.
_TOGETHER: Final = 50


@dataclass(frozen=True, slots=True)
class TotalsSource:
    """The list of the totals: one list, or the same list of each parent; `ids` are the parents'. `whole` marks the list
    of all customers that are not archived."""

    listing: ListQuery
    parents: ParentTable | None = None
    ids: tuple[bytes, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class CustomerTotals:
    """Counts, money in ten-thousandths, times in milliseconds. Without customers, only the counts and the sum are 0."""

    count: int = 0
    phone_count: int = 0
    email_count: int = 0
    sum: int = 0
    min: int | None = None
    max: int | None = None
    first: int | None = None
    last: int | None = None

    @property
    def average(self) -> Decimal | None:
        """The average, to four decimal places."""
        if not self.count:
            return None
        return (Decimal(self.sum) / self.count).scaleb(-4).quantize(_PLACE, rounding=ROUND_HALF_EVEN)

    def __add__(self, other: "CustomerTotals") -> "CustomerTotals":
        return CustomerTotals(
            self.count + other.count,
            self.phone_count + other.phone_count,
            self.email_count + other.email_count,
            self.sum + other.sum,
            _least(self.min, other.min),
            _greatest(self.max, other.max),
            _least(self.first, other.first),
            _greatest(self.last, other.last),
        )


@dataclass(frozen=True, slots=True)
class NumberTotals:
    """Totals of a NUMBER field; `empty` customers have no value."""

    count: int = 0
    empty: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None

    def __add__(self, other: "NumberTotals") -> "NumberTotals":
        return NumberTotals(
            self.count + other.count,
            self.empty + other.empty,
            self.sum + other.sum,
            _least(self.min, other.min),
            _greatest(self.max, other.max),
        )


GroupKeys = tuple[Any, ...]
"""The id of a parent or None, and the values of the group keys."""


async def fetch_totals(
    session: Session, sources: Sequence[TotalsSource], by: Grouping, most: int | None = None
) -> list[Mapping[Any, dict[GroupKeys, CustomerTotals]]]:
    """The totals of each list by groups; without a grouping, under the empty key. Includes at least the `most` largest
    groups. Only totals named by the session's columns are computed."""
    cut = most if by.needs_no_rows and all(one.parents is None for one in sources) else None
    wanted = _wanted(session.columns)
    if not wanted and by.tags and len(sources) == 1 and sources[0].whole:
        return [_gathered(await tag_counts.tag_groups(session, most), by, _of_row)]

    def statement(part: tuple[Summable, ...]) -> PreparedStatement[Any]:
        return _totals(part, by, cut, wanted)

    return await _read(session, sources, by, statement, {}, _of_row)


async def fetch_number_totals(
    session: Session, sources: Sequence[TotalsSource], by: Grouping, field_id: bytes
) -> list[Mapping[Any, dict[GroupKeys, NumberTotals]]]:
    """Totals of a NUMBER field, in the same groups."""

    def of_row(row: Any) -> NumberTotals:
        return NumberTotals(row.count, row.all - row.count, row.sum or 0.0, row.min, row.max)

    return await _read(session, sources, by, lambda part: _numbers(part, by), {"number_field": field_id}, of_row)


async def _read(
    session: Session,
    sources: Sequence[TotalsSource],
    by: Grouping,
    statement: Callable[[tuple["Summable", ...]], PreparedStatement[Any]],
    values: Mapping[str, Any],
    of_row: Callable[[Any], Any],
) -> list[Mapping[Any, dict[GroupKeys, Any]]]:
    """One statement for every fifty sources."""
    found: list[Mapping[Any, dict[GroupKeys, Any]]] = []
    for start in range(0, len(sources), _TOGETHER):
        part = sources[start : start + _TOGETHER]
        bound = {**values, **by.bound, "ids": part[0].ids}
        for one in part:
            bound |= one.listing.parameters
        rows: list[Any] = await session.fetch_all(
            statement(tuple((ListQueryKey(one.listing), one.parents) for one in part)), **bound
        )
        apart: list[list[Any]] = [[] for _ in part]
        for row in rows:
            apart[getattr(row, "source", 0)].append(row)
        found += [_gathered(each, by, of_row) for each in apart]
    return found


def _gathered(rows: Sequence[Any], by: Grouping, of_row: Any) -> dict[Any, dict[GroupKeys, Any]]:
    """Rows by parent and group. SQL groups that are parts of a group, such as the days of a month, are added."""
    found: dict[Any, dict[GroupKeys, Any]] = {}
    for row in rows:
        groups = found.setdefault(getattr(row, "parent", None), {})
        key = by.key(row)
        one = of_row(row)
        groups[key] = groups[key] + one if key in groups else one
    return found


def _of_row(row: Any) -> CustomerTotals:
    names = ("phones", "emails", "high", "low", "min", "max", "first", "last")
    sums = {name: getattr(row, name, None) for name in names}
    return CustomerTotals(
        row.count,
        sums["phones"] or 0,
        sums["emails"] or 0,
        int(sums["high"] or 0) * _HALF + int(sums["low"] or 0),
        sums["min"],
        sums["max"],
        sums["first"],
        sums["last"],
    )


def _least(one: Any, other: Any) -> Any:
    return min((each for each in (one, other) if each is not None), default=None)


def _greatest(one: Any, other: Any) -> Any:
    return max((each for each in (one, other) if each is not None), default=None)


# ── statements ────────────────────────────────────────────────────────────────────────────────────────────────────────


# Whether one of the names is selected; counts are always computed.
_MEASURES: Final[Mapping[str, frozenset[str]]] = {
    "phones": frozenset({"phone_count"}),
    "emails": frozenset({"email_count"}),
    "money": frozenset({"sum", "avg", "min", "max"}),
    "moments": frozenset({"created_at"}),
}


def _wanted(names: ColumnNames) -> frozenset[str]:
    return frozenset(one for one, any_of in _MEASURES.items() if names is None or names & any_of)


def _measured(row: Any, wanted: frozenset[str]) -> list[Any]:
    half: Any = literally(str(_HALF))
    found = [func.count().label("count")]
    if "phones" in wanted:
        found.append(func.sum(row.phone_count).label("phones"))
    if "emails" in wanted:
        found.append(func.sum(row.email_count).label("emails"))
    if "money" in wanted:
        found += [func.sum(row.value.op("/")(half)).label("high"), func.sum(row.value.op("%")(half)).label("low")]
        found += [func.min(row.value).label("min"), func.max(row.value).label("max")]
    if "moments" in wanted:
        found += [func.min(row.created_at).label("first"), func.max(row.created_at).label("last")]
    return found


Summable = tuple[ListQueryKey, ParentTable | None]
"""A source as a cache key."""


@lru_cache(maxsize=300)
def _totals(
    part: tuple[Summable, ...], by: Grouping, most: int | None, wanted: frozenset[str]
) -> PreparedStatement[Any]:
    def one(listing: ListQuery, parents: ParentTable | None, dialect: str) -> Select[Any]:
        found = _grouped(listing, dialect, parents, by, _measured(listing.row, wanted))
        if most is None:
            return found
        keys: list[Any] = list(found.selected_columns)[: len(by.parts)]
        order = [part for key in keys for part in (key.element.is_(None), key.element)]
        return found.order_by(func.count().desc(), *order).limit(literally(str(most)))

    return _together(part, one)


@lru_cache(maxsize=300)
def _numbers(part: tuple[Summable, ...], by: Grouping) -> PreparedStatement[Any]:
    def one(listing: ListQuery, parents: ParentTable | None, dialect: str) -> Select[Any]:
        value: Any = aliased(tables.CustomerValue)
        measures = [
            func.count(value.number).label("count"),
            func.count().label("all"),
            func.sum(value.number).label("sum"),
            func.min(value.number).label("min"),
            func.max(value.number).label("max"),
        ]
        found = _grouped(listing, dialect, parents, by, measures)
        field = value.field_id == bindparam("number_field", type_=Id)
        return found.outerjoin(value, and_(in_workspace(value), value.customer_id == listing.row.id, field))

    return _together(part, one)


def _together(
    part: Sequence[Summable], one: Callable[[ListQuery, ParentTable | None, str], Select[Any]]
) -> PreparedStatement[Any]:
    """The rows of all sources, with the index of the source if there are several."""

    def build(dialect: str) -> Any:
        each = [one(kept.listing, parents, dialect) for kept, parents in part]
        if len(each) == 1:
            return each[0]
        subqueries = [found.subquery() for found in each]
        sources: list[Any] = [literally(str(place)).label("source") for place in range(len(each))]
        return union_all(*(select(source, *own.c) for source, own in zip(sources, subqueries, strict=True)))

    return DialectStatement(build)


def _grouped(
    listing: ListQuery, dialect: str, parents: ParentTable | None, by: Grouping, measures: Sequence[Any]
) -> Select[Any]:
    found, keys = by.attached(listing.build(dialect), listing.row)
    if parents is not None:
        table = parents.table
        found = parents.attach(found, listing.row).where(in_workspace(table), any_of(table.id, "ids"))
        wanted = [table.id.label("parent"), *keys]
    else:
        wanted = keys
    found = found.with_only_columns(*wanted, *measures, maintain_column_froms=True)
    return found.group_by(*(each.element for each in wanted)) if wanted else found
