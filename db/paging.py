"""Keyset pages: a list is read from a row onwards, so a page costs the same wherever it lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam

from db.engine import Session
from db.reading import Prepared, prepared

DEFAULT = 50
MOST = 250


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted: `size` rows after one id and before another, from its end when `backwards`."""

    size: int = DEFAULT
    after: bytes | None = None
    before: bytes | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in list order, and whether the list goes on beyond them on either side."""

    rows: Sequence[Any]
    has_next: bool
    has_previous: bool


async def newest_first(session: Session, listing: Callable[[], Select[Any]], window: Window, **values: Any) -> Page:
    """A page of the rows that `listing` selects, newest first. `listing` is a module's function, for it is the key
    under which the statement is kept."""
    statement = _newest_first(listing, window.after is not None, window.before is not None, window.backwards)
    bounds = {"after": window.after, "before": window.before, "size": window.size + 1}
    rows = await session.rows(statement, **bounds, **values)
    more = len(rows) > window.size
    rows = rows[: window.size]
    if window.backwards:
        rows.reverse()
        return Page(rows, has_next=window.before is not None, has_previous=more)
    return Page(rows, has_next=more, has_previous=window.after is not None)


@cache
def _newest_first(listing: Callable[[], Select[Any]], after: bool, before: bool, backwards: bool) -> Prepared[Any]:
    statement = listing()
    identifier = statement.selected_columns["id"]
    if after:
        statement = statement.where(identifier < bindparam("after"))
    if before:
        statement = statement.where(identifier > bindparam("before"))
    order = identifier.asc() if backwards else identifier.desc()
    return prepared(statement.order_by(order).limit(bindparam("size", type_=None)))
