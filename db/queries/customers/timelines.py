"""Timelines: changes, notes, interactions and orders of a customer, newest first from a position."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.queries.change_log import change_id
from db.statements import PreparedStatement, any_of, group_rows, in_workspace, prepare
from db.tables.column_types import Id, Moment

TimelinePosition = tuple[int, bytes]
"""The position of an entry: its time and id; a change has its number as id."""

# For each table: the customer, the time, and the column that breaks ties.
_READ: Final[Mapping[Any, tuple[str, str, str]]] = {
    tables.Change: ("node_id", "at", "seq"),
    tables.Note: ("customer_id", "created_at", "id"),
    tables.Interaction: ("customer_id", "occurred_at", "id"),
    tables.Order: ("customer_id", "placed_at", "id"),
}


def position_of(row: Any) -> TimelinePosition:
    """The position of the entry."""
    _, moment, tie = _READ[row.table]
    key = getattr(row, tie)
    return getattr(row, moment), change_id(key) if tie == "seq" else key


async def fetch_entries(
    session: Session, ids: Sequence[bytes], size: int, after: TimelinePosition | None
) -> Mapping[bytes, list[Any]]:
    """Up to `size` entries of each customer after the position, newest first: four statements for any number of
    customers."""
    found: dict[bytes, list[Any]] = {}
    for table, (owner, _, tie) in _READ.items():
        bounds: dict[str, Any] = {}
        if after is not None:
            key: Any = min(int.from_bytes(after[1]), 2**63 - 1) if tie == "seq" else after[1]
            bounds = {"moment": after[0], "tie": key}
        for key, rows in group_rows(
            await session.fetch_all(_newest(table, after is not None), ids=ids, size=size, **bounds), owner
        ).items():
            found.setdefault(key, []).extend(rows)
    return {key: sorted(rows, key=position_of, reverse=True)[:size] for key, rows in found.items()}


@cache
def _newest(table: Any, after: bool) -> PreparedStatement[Any]:
    owner, at, tie = _READ[table]
    customer, moment, key = (col(getattr(table, name)) for name in (owner, at, tie))
    conditions = [in_workspace(table), any_of(customer, "ids")]
    if after:
        bound = bindparam("tie", type_=Moment if tie == "seq" else Id)
        since = bindparam("moment", type_=Moment)
        conditions.append((moment < since) | ((moment == since) & (key < bound)))
    place_ = func.row_number().over(partition_by=customer, order_by=(moment.desc(), key.desc()))
    numbered = select(table, place_.label("place_among")).where(*conditions).subquery()
    columns = [numbered.c[column.name] for column in tables.metadata.tables[str(table.__tablename__)].columns]
    return prepare(select(*columns).where(numbered.c.place_among <= bindparam("size")), reads=table)
