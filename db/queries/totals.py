"""Totals of customers: over a whole match, and in groups of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, func
from sqlalchemy import literal_column as literally
from sqlalchemy.orm import aliased

from db import tables
from db.engine import Session
from db.nesting import Parents
from db.paging import Kept, Listing
from db.queries.grouping import Grouping
from db.reading import Built, Columns, Prepared, among, here
from db.tables.columns import Id

# Sums are taken of two halves, each of which SQLite's integers can hold.
_HALF: Final = 1_000_000
_PLACE: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Source:
    """Whose totals: one list, or the same list of each parent; `ids` are the parents'."""

    listing: Listing
    parents: Parents | None = None
    ids: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts, and money in ten-thousandths; moments in milliseconds. Of nobody, only the counts and the sum are 0."""

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
        """To the fourth decimal place."""
        if not self.count:
            return None
        return (Decimal(self.sum) / self.count).scaleb(-4).quantize(_PLACE, rounding=ROUND_HALF_EVEN)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
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
class Numbers:
    """What the values of a number field come to; `empty` customers have none."""

    count: int = 0
    empty: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(
            self.count + other.count,
            self.empty + other.empty,
            self.sum + other.sum,
            _least(self.min, other.min),
            _greatest(self.max, other.max),
        )


Keys = tuple[Any, ...]
"""A parent's id, or None, and what the groups are told apart by."""


async def totals(
    session: Session, source: Source, by: Grouping, most: int | None = None
) -> Mapping[Any, dict[Keys, Totals]]:
    """The totals of each parent's list, by groups; without a grouping, under the empty key. Of the largest groups at
    least `most` are among them. What the session's columns do not name is not added up."""
    cut = most if by.whole and source.parents is None else None
    statement = _totals(Kept(source.listing), source.parents, by, cut, _wanted(session.columns))
    rows: list[Any] = await session.rows(statement, ids=source.ids, **source.listing.values, **by.bound)
    return _gathered(rows, by, _of_row)


async def numbers(session: Session, source: Source, by: Grouping, field_id: bytes) -> Mapping[Any, dict[Keys, Numbers]]:
    """What the values of a number field come to, in the same groups."""
    statement = _numbers(Kept(source.listing), source.parents, by)
    values = {**source.listing.values, **by.bound, "number_field": field_id}
    rows: list[Any] = await session.rows(statement, ids=source.ids, **values)
    return _gathered(rows, by, lambda row: Numbers(row.count, row.all - row.count, row.sum or 0.0, row.min, row.max))


def _gathered(rows: Sequence[Any], by: Grouping, of_row: Any) -> dict[Any, dict[Keys, Any]]:
    """Rows under their parents and keys. What one group of SQL is a part of, such as the days of a month, is added."""
    found: dict[Any, dict[Keys, Any]] = {}
    for row in rows:
        groups = found.setdefault(getattr(row, "parent", None), {})
        key = by.key(row)
        one = of_row(row)
        groups[key] = groups[key] + one if key in groups else one
    return found


def _of_row(row: Any) -> Totals:
    names = ("phones", "emails", "high", "low", "min", "max", "first", "last")
    sums = {name: getattr(row, name, None) for name in names}
    return Totals(
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


# Any of the names that a caller may want of what is added up; how many there are is counted always.
_MEASURES: Final[Mapping[str, frozenset[str]]] = {
    "phones": frozenset({"phone_count"}),
    "emails": frozenset({"email_count"}),
    "money": frozenset({"sum", "avg", "min", "max"}),
    "moments": frozenset({"created_at"}),
}


def _wanted(names: Columns) -> frozenset[str]:
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


@lru_cache(maxsize=300)
def _totals(
    kept: Kept, parents: Parents | None, by: Grouping, most: int | None, wanted: frozenset[str]
) -> Prepared[Any]:
    measures = _measured(kept.listing.row, wanted)

    def build(dialect: str) -> Select[Any]:
        found = _grouped(kept.listing, dialect, parents, by, measures)
        if most is None:
            return found
        keys: list[Any] = list(found.selected_columns)[: len(by.parts)]
        order = [part for key in keys for part in (key.element.is_(None), key.element)]
        return found.order_by(func.count().desc(), *order).limit(literally(str(most)))

    return Built(build)


@lru_cache(maxsize=300)
def _numbers(kept: Kept, parents: Parents | None, by: Grouping) -> Prepared[Any]:
    row = kept.listing.row

    def build(dialect: str) -> Select[Any]:
        value: Any = aliased(tables.CustomerValue)
        measures = [
            func.count(value.number).label("count"),
            func.count().label("all"),
            func.sum(value.number).label("sum"),
            func.min(value.number).label("min"),
            func.max(value.number).label("max"),
        ]
        found = _grouped(kept.listing, dialect, parents, by, measures)
        field = value.field_id == bindparam("number_field", type_=Id)
        return found.outerjoin(value, and_(here(value), value.customer_id == row.id, field))

    return Built(build)


def _grouped(
    listing: Listing, dialect: str, parents: Parents | None, by: Grouping, measures: Sequence[Any]
) -> Select[Any]:
    found, keys = by.attached(listing.build(dialect), listing.row)
    if parents is not None:
        table = parents.table
        found = parents.attach(found, listing.row).where(here(table), among(table.id, "ids"))
        wanted = [table.id.label("parent"), *keys]
    else:
        wanted = keys
    found = found.with_only_columns(*wanted, *measures, maintain_column_froms=True)
    return found.group_by(*(each.element for each in wanted)) if wanted else found
