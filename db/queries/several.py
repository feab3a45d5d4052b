"""Several matches at once, as of a page of segments: one statement asks for all of them, whatever each asks of
customers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, case, select
from sqlalchemy import literal_column as literally
from sqlmodel import col

from db import nesting, paging, tables
from db.engine import Session
from db.paging import Kept, Listing, Page, Window
from db.queries import matches
from db.queries.matches import Match
from db.reading import Built, Prepared, among, here
from db.sight import seen
from db.sorting import Sort

# As many go into one statement; a page has at most 250 parents.
_TOGETHER: Final = 50


@dataclass(frozen=True, slots=True)
class Several:
    """Matches under their keys. They were read together, so that their values do not get in each other's way."""

    matches: Mapping[Any, Match]

    def parts(self) -> list[list[tuple[Any, Match]]]:
        pairs = list(self.matches.items())
        return [pairs[place : place + _TOGETHER] for place in range(0, len(pairs), _TOGETHER)]


async def pages(session: Session, several: Several, window: Window, sort: Sort, *, indexed: bool) -> Mapping[Any, Page]:
    """The page of each: two statements for every fifty. Raises QuestionRefused, BAD_CURSOR."""
    phase = paging.places(sort, window)
    found: dict[Any, Page] = {}
    for part in several.parts():
        listings = _listings(session, part, indexed=indexed)
        statement = _ids(listings, sort.shape, phase.shape, window.backwards, window.size + 1)
        values = {**_values(session, part), **sort.bound, **phase.values}
        row: Any = await session.first(statement, **values)
        gathered = {key: nesting.listed(getattr(row, f"ids_{place}")) for place, (key, _) in enumerate(part)}
        found |= await nesting.shown(session, gathered, listings[0].listing, window, sort, values)
    return found


async def counts(session: Session, several: Several, at_most: int | None) -> Mapping[Any, int]:
    """How many customers each finds: one statement for every fifty; counting stops at `at_most`."""
    found: dict[Any, int] = {}
    for part in several.parts():
        row: Any = await session.first(
            _counts(_listings(session, part, indexed=True), at_most), **_values(session, part)
        )
        found |= {key: getattr(row, f"count_{place}") for place, (key, _) in enumerate(part)}
    return found


async def holding(session: Session, several: Several, ids: Sequence[bytes]) -> Mapping[bytes, set[Any]]:
    """Which of the matches each of the customers is in: one statement for every fifty."""
    found: dict[bytes, set[Any]] = {}
    for part in several.parts():
        rows: list[Any] = await session.rows(
            _holding(_listings(session, part, indexed=False)), customer_ids=ids, **_values(session, part)
        )
        for row in rows:
            keys = {key for place, (key, _) in enumerate(part) if getattr(row, f"in_{place}")}
            found.setdefault(row.id, set()).update(keys)
    return found


def _listings(session: Session, part: Sequence[tuple[Any, Match]], *, indexed: bool) -> tuple[Kept, ...]:
    return tuple(Kept(matches.all_of(session, match, indexed=indexed)) for _, match in part)


def _values(session: Session, part: Sequence[tuple[Any, Match]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for _, match in part:
        values |= match.values(session.workspace_id)
    return values


@lru_cache(maxsize=200)
def _ids(
    kept: tuple[Kept, ...], sort: tuple[Any, ...], phase: tuple[Any, ...], backwards: bool, size: int
) -> Prepared[Any]:
    def one(listing: Listing, dialect: str) -> Any:
        own = paging.ordered(listing, dialect, sort, phase, backwards, wanted=False)
        own = own.with_only_columns(listing.row.id.label("id"), maintain_column_froms=True)
        return nesting.gathered(own.limit(literally(str(size))), dialect)

    return _side_by_side(kept, "ids", one)


@lru_cache(maxsize=200)
def _counts(kept: tuple[Kept, ...], at_most: int | None) -> Prepared[Any]:
    def one(listing: Listing, dialect: str) -> Any:
        return paging.counting(listing, dialect, at_most).scalar_subquery()

    return _side_by_side(kept, "count", one)


def _side_by_side(kept: Sequence[Kept], name: str, one: Callable[[Listing, str], Any]) -> Prepared[Any]:
    """A row that has what is asked of each listing in a column of its own."""

    def build(dialect: str) -> Select[Any]:
        return select(*(one(each.listing, dialect).label(f"{name}_{place}") for place, each in enumerate(kept)))

    return Built(build)


@lru_cache(maxsize=200)
def _holding(kept: tuple[Kept, ...]) -> Prepared[Any]:
    def build(dialect: str) -> Select[Any]:
        within = [_within(each.listing.build(dialect)).label(f"in_{place}") for place, each in enumerate(kept)]
        row = tables.Customer
        everything = kept[0].listing.everything
        return select(col(row.id), *within).where(here(row), among(row.id, "customer_ids"), seen(everything))

    return Built(build)


def _within(found: Select[Any]) -> Any:
    """Whether the row is one of them, as 1 or 0."""
    says: Any = found.whereclause
    return case((says, literally("1")), else_=literally("0"))
