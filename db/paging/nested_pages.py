"""The same list for many parents: pages or counts, with a constant number of statements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Select, func, select
from sqlalchemy import literal_column as literally

from db.engine import Session
from db.paging.keyset import ListQuery, ListQueryKey, Page, PageRequest, ordered_select, page_phases
from db.paging.sorting import Sort
from db.statements import DialectStatement, PreparedStatement, any_of, in_workspace

AttachToParent = Callable[[Select[Any], Any], Select[Any]]


@dataclass(frozen=True, slots=True)
class ParentTable:
    """The parents: rows of `table`. `attach` restricts a list to the rows of the surrounding parent row."""

    table: Any
    attach: AttachToParent


async def fetch_pages(
    session: Session, ids: Sequence[bytes], parents: ParentTable, listing: ListQuery, window: PageRequest, sort: Sort
) -> Mapping[bytes, Page]:
    """The page of each parent's list, in two statements. Raises QueryError BAD_CURSOR."""
    reads = page_phases(sort, window)
    shapes = tuple(each.cache_key for each in reads)
    statement = _ids(ListQueryKey(listing), parents, sort.cache_key, shapes, window.backwards, window.size + 1)
    values = {**listing.parameters, **sort.parameters}
    for each in reads:
        values |= each.parameters
    rows: list[Any] = await session.fetch_all(statement, ids=ids, **values)
    found = {row.parent: ids_from_row(row, "ids", len(reads), window.size + 1) for row in rows}
    return await load_page_rows(session, found, listing, window, sort, values)


async def fetch_counts(
    session: Session, ids: Sequence[bytes], parents: ParentTable, listing: ListQuery, at_most: int | None
) -> Mapping[bytes, int]:
    """The length of each parent's list; counting stops at `at_most`."""
    found: list[Any] = await session.fetch_all(
        _counts(ListQueryKey(listing), parents, at_most), ids=ids, **listing.parameters
    )
    return {row.parent: row.count for row in found}


async def load_page_rows(
    session: Session,
    found: Mapping[Any, Sequence[bytes]],
    listing: ListQuery,
    window: PageRequest,
    sort: Sort,
    values: Mapping[str, Any],
) -> dict[Any, Page]:
    """Loads the rows of the pages. `found` has the ids, one more than the page size. A row in several pages is read
    once."""
    wanted = list(dict.fromkeys(one for ids in found.values() for one in ids[: window.size]))
    rows: dict[bytes, Any] = {}
    if wanted:
        read = await session.fetch_all(
            _rows(listing.row, sort.cache_key, listing.sees_all), **{**values, "ids": wanted}
        )
        rows = {row.id: row for row in read}
    return {parent: _page(ids, rows, window, sort) for parent, ids in found.items()}


def id_arrays(own: Sequence[Select[Any]], dialect: str, name: str) -> list[Any]:
    """The ids of each SELECT as one value each, in order; the values are named by index."""
    if dialect != "sqlite":
        return [func.array(each.scalar_subquery()).label(f"{name}_{place}") for place, each in enumerate(own)]
    values = []
    for place, each in enumerate(own):
        inner = each.subquery("own")
        found = select(func.json_group_array(func.hex(inner.c.id))).select_from(inner).scalar_subquery()
        values.append(found.label(f"{name}_{place}"))
    return values


def ids_from_row(row: Any, name: str, number: int, most: int) -> list[bytes]:
    """The values of a row joined into one list of at most `most` ids. PostgreSQL returns arrays, SQLite JSON of
    hexadecimal texts."""
    found: list[bytes] = []
    for place in range(number):
        ids = getattr(row, f"{name}_{place}")
        found += [bytes.fromhex(one) for one in orjson.loads(ids)] if isinstance(ids, str) else ids
    return found[:most]


def _page(ids: Sequence[bytes], rows: Mapping[bytes, Any], window: PageRequest, sort: Sort) -> Page:
    more = len(ids) > window.size
    # A row that was deleted between the two statements is missing.
    found = [rows[one] for one in ids[: window.size] if one in rows]
    if window.backwards:
        found.reverse()
        return Page(found, has_next=window.before is not None, has_previous=more, sort=sort)
    return Page(found, has_next=more, has_previous=window.after is not None, sort=sort)


@lru_cache(maxsize=500)
def _ids(
    kept: ListQueryKey, parents: ParentTable, sort: tuple[Any, ...], phases: tuple[Any, ...], backwards: bool, size: int
) -> PreparedStatement[Any]:
    """Each phase alone is a range of an index; together they would need sorting."""
    listing = kept.listing

    def build(dialect: str) -> Select[Any]:
        own = []
        for phase in phases:
            found = ordered_select(listing, dialect, sort, phase, backwards, wanted=False).with_only_columns(
                listing.row.id.label("id"), maintain_column_froms=True
            )
            found = parents.attach(found, listing.row).limit(literally(str(size)))
            own.append(found.correlate(parents.table))
        return _around(parents, *id_arrays(own, dialect, "ids"))

    return DialectStatement(build)


@lru_cache(maxsize=500)
def _counts(kept: ListQueryKey, parents: ParentTable, at_most: int | None) -> PreparedStatement[Any]:
    listing = kept.listing

    def build(dialect: str) -> Select[Any]:
        own = parents.attach(listing.build(dialect), listing.row).correlate(parents.table)
        number: Select[Any] = own.with_only_columns(func.count(), maintain_column_froms=True)
        if at_most is not None:
            some: Any = own.with_only_columns(literally("1").label("one"), maintain_column_froms=True)
            number = select(func.count()).select_from(some.limit(literally(str(at_most))).subquery("own"))
        return _around(parents, number.scalar_subquery().label("count"))

    return DialectStatement(build)


def _around(parents: ParentTable, *wanted: Any) -> Select[Any]:
    table = parents.table
    return select(table.id.label("parent"), *wanted).where(in_workspace(table), any_of(table.id, "ids"))


@lru_cache(maxsize=100)
def _rows(row: Any, sort: tuple[Any, ...], sees_all: bool) -> PreparedStatement[Any]:
    """Whole rows with the values for their cursors."""
    listing = ListQuery(None, lambda _: select(row).where(in_workspace(row), any_of(row.id, "ids")), row, sees_all)
    return DialectStatement(lambda dialect: ordered_select(listing, dialect, sort), reads=row)
