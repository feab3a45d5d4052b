"""Counts of customers by tag over all customers that are not archived, without reading customers."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, inspect, null, select, union_all
from sqlalchemy import literal_column as literally
from sqlmodel import col

from db import tables
from db.engine import Session
from db.filtering.sqlite_hints import ForcedJoinOrder
from db.statements import DialectStatement, PreparedStatement, in_workspace
from db.tables.column_types import Id


async def tag_groups(session: Session, most: int | None) -> Sequence[Any]:
    """(key_0, count): the tag's id, None for customers without tags. Includes at least the `most` largest groups."""
    return await session.fetch_all(_groups(most))


@cache
def _groups(most: int | None) -> PreparedStatement[Any]:
    """All customers with a tag, from its index, minus the few archived ones: half the cost of reading all customers."""
    worn: Any = tables.CustomerTag
    customer: Any = tables.Customer
    both = ForcedJoinOrder(inspect(customer).selectable, inspect(worn).selectable, worn.customer_id == customer.id)
    archived = col(customer.archived_at).is_not(None)
    parts = union_all(
        select(worn.tag_id.label("key_0"), func.count().label("count")).where(in_workspace(worn)).group_by(worn.tag_id),
        select(worn.tag_id, -func.count())
        .select_from(both)
        .where(in_workspace(customer, worn), archived)
        .group_by(worn.tag_id),
        select(cast(null(), Id), func.count()).where(in_workspace(customer), ~archived, customer.tag_count == 0),
    ).subquery()
    total = cast(func.sum(parts.c.count), BigInteger)

    def build(_: str) -> Select[Any]:
        found = select(parts.c.key_0, total.label("count")).group_by(parts.c.key_0).having(total > 0)
        if most is None:
            return found
        return found.order_by(total.desc(), parts.c.key_0.is_(None), parts.c.key_0).limit(literally(str(most)))

    return DialectStatement(build)
