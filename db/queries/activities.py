"""Notes, interactions and orders of customers, a page of each for a whole level of customers at once."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.paging import Page
from db.reading import Prepared, among, grouped, here, prepared
from db.sight import Sight, seen
from db.tables.columns import Id, Moment

Activity = type[tables.Note] | type[tables.Interaction] | type[tables.Order]

# What each kind is sorted by, newest first; the id breaks ties.
MOMENTS: dict[Activity, str] = {
    tables.Note: "created_at",
    tables.Interaction: "occurred_at",
    tables.Order: "placed_at",
}


async def pages(
    session: Session, ids: Sequence[bytes], table: Activity, size: int, after: tuple[int, bytes] | None
) -> Mapping[bytes, Page]:
    """For each customer the page of its rows of `table` that follows the moment and id `after`, newest first."""
    place = {"moment": after[0], "identifier": after[1]} if after else {}
    rows = await session.rows(_pages(table, bool(after)), ids=ids, size=size + 1, **place)
    found = grouped(rows, "customer_id")
    return {
        customer_id: Page(rows[:size], has_next=len(rows) > size, has_previous=after is not None)
        for customer_id, rows in found.items()
    }


async def counts(session: Session, ids: Sequence[bytes], table: Activity) -> Mapping[bytes, int]:
    """How many rows of `table` each customer has; absent where there are none."""
    return {row.customer_id: row.count for row in await session.rows(_counts(table), ids=ids)}


async def in_sight(session: Session, ids: Sequence[bytes], table: Activity, sight: Sight) -> Mapping[bytes, Any]:
    """The rows of `table` under their ids, of customers in sight."""
    rows = await session.rows(_in_sight(table, sight.everything), ids=ids, **sight.values())
    return {row.id: row for row in rows}


@cache
def _pages(table: Activity, after: bool) -> Prepared[Any]:
    moment, identifier = col(getattr(table, MOMENTS[table])), col(table.id)
    conditions = [here(table), among(table.customer_id, "ids")]
    if after:
        at, tie = bindparam("moment", type_=Moment), bindparam("identifier", type_=Id)
        conditions.append((moment < at) | ((moment == at) & (identifier < tie)))
    place = func.row_number().over(partition_by=col(table.customer_id), order_by=(moment.desc(), identifier.desc()))
    numbered = select(table, place.label("place")).where(*conditions).subquery()
    columns = [numbered.c[column.name] for column in tables.metadata.tables[str(table.__tablename__)].columns]
    return prepared(
        select(*columns)
        .where(numbered.c.place <= bindparam("size"))
        .order_by(numbered.c.customer_id, numbered.c.place),
        reads=table,
    )


@cache
def _counts(table: Activity) -> Prepared[Any]:
    return prepared(
        select(table.customer_id, func.count().label("count"))
        .where(here(table), among(table.customer_id, "ids"))
        .group_by(col(table.customer_id))
    )


@cache
def _in_sight(table: Activity, everything: bool) -> Prepared[Any]:
    return prepared(
        select(table)
        .join(tables.Customer, col(tables.Customer.id) == table.customer_id)
        .where(here(table, tables.Customer), among(table.id, "ids"), seen(everything))
    )
