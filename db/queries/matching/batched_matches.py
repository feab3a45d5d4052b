"""Several matches in one statement, for example of a page of segments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, case, select
from sqlalchemy import literal_column as literally
from sqlmodel import col

from db import tables
from db.engine import Session
from db.paging import keyset, nested_pages
from db.paging.keyset import ListQuery, ListQueryKey, Page, PageRequest
from db.paging.sorting import Sort
from db.queries.matching import matches
from db.queries.matching.matches import CustomerMatch, SampleQuery
from db.statements import DialectStatement, PreparedStatement, any_of, in_workspace
from db.visibility import visible_to

# Matches per statement; a page has at most 250 parents.
_TOGETHER: Final = 50


@dataclass(frozen=True, slots=True)
class MatchBatch:
    """Matches by key. They were parsed together, so their parameters have different names."""

    matches: Mapping[Any, CustomerMatch]

    def parts(self) -> list[list[tuple[Any, CustomerMatch]]]:
        pairs = list(self.matches.items())
        return [pairs[place : place + _TOGETHER] for place in range(0, len(pairs), _TOGETHER)]


async def fetch_pages(session: Session, several: MatchBatch, window: PageRequest, sort: Sort) -> Mapping[Any, Page]:
    """The page of each match: three statements for every fifty matches. Raises QueryError BAD_CURSOR."""
    reads = keyset.page_phases(sort, window)
    shapes = tuple(each.cache_key for each in reads)
    found: dict[Any, Page] = {}
    for part in several.parts():
        values = {**_values(session, part), **sort.parameters}
        for each in reads:
            values |= each.parameters
        listings = await _fitting(session, part, sort, values)
        statement = _ids(listings, sort.cache_key, shapes, window.backwards, window.size + 1)
        row: Any = await session.fetch_first(statement, **values)
        gathered = {
            key: nested_pages.ids_from_row(row, f"ids_{place}", len(reads), window.size + 1)
            for place, (key, _) in enumerate(part)
        }
        found |= await nested_pages.load_page_rows(session, gathered, listings[0].listing, window, sort, values)
    return found


async def _fitting(
    session: Session, part: Sequence[tuple[Any, CustomerMatch]], sort: Sort, values: Mapping[str, Any]
) -> tuple[ListQueryKey, ...]:
    """The list queries for pages; each starts with an index or with the list, whichever is faster."""
    samples = {
        place: sample
        for place, (_, match) in enumerate(part)
        if (sample := matches.sample_query(session.dialect.name, match, sort)) is not None
    }
    indexed = {place: match.search is None for place, (_, match) in enumerate(part)}
    if samples:
        row: Any = await session.fetch_first(_samples(SampleBatch(tuple(samples.values()))), **values)
        indexed |= {
            place: matches.is_rare(session.dialect.name, getattr(row, f"count_{number}"))
            for number, place in enumerate(samples)
        }
    return tuple(
        ListQueryKey(matches.full_list_query(session, match, indexed=indexed[place], paged=True))
        for place, (_, match) in enumerate(part)
    )


async def fetch_counts(session: Session, several: MatchBatch, at_most: int | None) -> Mapping[Any, int]:
    """The number of customers of each match: one statement for every fifty matches; counting stops at `at_most`."""
    found: dict[Any, int] = {}
    for part in several.parts():
        row: Any = await session.fetch_first(
            _counts(_listings(session, part, indexed=True), at_most), **_values(session, part)
        )
        found |= {key: getattr(row, f"count_{place}") for place, (key, _) in enumerate(part)}
    return found


async def matching_members(session: Session, several: MatchBatch, ids: Sequence[bytes]) -> Mapping[bytes, set[Any]]:
    """The matches that contain each customer: one statement for every fifty matches."""
    found: dict[bytes, set[Any]] = {}
    for part in several.parts():
        rows: list[Any] = await session.fetch_all(
            _holding(_listings(session, part, indexed=False)), customer_ids=ids, **_values(session, part)
        )
        for row in rows:
            keys = {key for place, (key, _) in enumerate(part) if getattr(row, f"in_{place}")}
            found.setdefault(row.id, set()).update(keys)
    return found


def _listings(
    session: Session, part: Sequence[tuple[Any, CustomerMatch]], *, indexed: bool
) -> tuple[ListQueryKey, ...]:
    return tuple(ListQueryKey(matches.full_list_query(session, match, indexed=indexed)) for _, match in part)


def _values(session: Session, part: Sequence[tuple[Any, CustomerMatch]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for _, match in part:
        values |= match.parameters(session.workspace_id)
    return values


class SampleBatch:
    """Several list queries as a cache key."""

    __slots__ = ("all",)

    def __init__(self, samples: tuple[SampleQuery, ...]) -> None:
        self.all = samples

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SampleBatch) and [one.key for one in self.all] == [one.key for one in other.all]

    def __hash__(self) -> int:
        return hash(tuple(one.key for one in self.all))


@lru_cache(maxsize=200)
def _samples(samples: SampleBatch) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        counts = [one.build(dialect).scalar_subquery() for one in samples.all]
        return select(*(count.label(f"count_{place}") for place, count in enumerate(counts)))

    return DialectStatement(build)


@lru_cache(maxsize=200)
def _ids(
    kept: tuple[ListQueryKey, ...], sort: tuple[Any, ...], phases: tuple[Any, ...], backwards: bool, size: int
) -> PreparedStatement[Any]:
    def ids(listing: ListQuery, dialect: str, name: str) -> list[Any]:
        own = []
        for phase in phases:
            found = keyset.ordered_select(listing, dialect, sort, phase, backwards, wanted=False)
            found = found.with_only_columns(listing.row.id.label("id"), maintain_column_froms=True)
            own.append(found.limit(literally(str(size))))
        return nested_pages.id_arrays(own, dialect, name)

    def build(dialect: str) -> Select[Any]:
        each = [ids(one.listing, dialect, f"ids_{place}") for place, one in enumerate(kept)]
        return select(*(column for columns in each for column in columns))

    return DialectStatement(build)


@lru_cache(maxsize=200)
def _counts(kept: tuple[ListQueryKey, ...], at_most: int | None) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        counts = [keyset.count_select(each.listing, dialect, at_most).scalar_subquery() for each in kept]
        return select(*(count.label(f"count_{place}") for place, count in enumerate(counts)))

    return DialectStatement(build)


@lru_cache(maxsize=200)
def _holding(kept: tuple[ListQueryKey, ...]) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        within = [_within(each.listing.build(dialect)).label(f"in_{place}") for place, each in enumerate(kept)]
        row = tables.Customer
        sees_all = kept[0].listing.sees_all
        return select(col(row.id), *within).where(
            in_workspace(row), any_of(row.id, "customer_ids"), visible_to(sees_all)
        )

    return DialectStatement(build)


def _within(found: Select[Any]) -> Any:
    """Whether the row is one of them, as 1 or 0."""
    says: Any = found.whereclause
    return case((says, literally("1")), else_=literally("0"))
