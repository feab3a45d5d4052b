"""Tags: the catalogue, and who wears them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.paging import Page, Window, newest_first
from db.reading import among, grouped, here, prepared
from db.sight import Sight, seen

_BY_IDS = prepared(select(tables.Tag).where(here(tables.Tag), among(tables.Tag.id, "ids")))
_COUNT = prepared(select(func.count().label("count")).select_from(tables.Tag).where(here(tables.Tag)))
_BY_CUSTOMER = prepared(
    select(tables.CustomerTag.customer_id, tables.Tag)
    .join(tables.Tag, col(tables.Tag.id) == tables.CustomerTag.tag_id)
    .where(here(tables.Tag, tables.CustomerTag), among(tables.CustomerTag.customer_id, "ids"))
    .order_by(col(tables.Tag.name_key), col(tables.Tag.id))
)
_CUSTOMER_COUNTS = {
    everything: prepared(
        select(tables.CustomerTag.tag_id, func.count().label("count"))
        .join(tables.Customer, col(tables.Customer.id) == tables.CustomerTag.customer_id)
        .where(
            here(tables.CustomerTag, tables.Customer),
            among(tables.CustomerTag.tag_id, "ids"),
            col(tables.Customer.archived_at).is_(None),
            seen(everything),
        )
        .group_by(col(tables.CustomerTag.tag_id))
    )
    for everything in (True, False)
}


def _all() -> Select[Any]:
    return select(tables.Tag).where(here(tables.Tag))


async def page(session: Session, window: Window) -> Page:
    return await newest_first(session, _all, window)


async def count(session: Session) -> int:
    found: int = (await session.rows(_COUNT))[0].count
    return found


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Tag]:
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}


async def by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Tag]]:
    """The tags each customer wears, by name."""
    return grouped(await session.rows(_BY_CUSTOMER, ids=ids), "customer_id")


async def customer_counts(session: Session, ids: Sequence[bytes], sight: Sight) -> Mapping[bytes, int]:
    """How many customers wear each tag, of those in sight and not archived; absent where nobody does."""
    rows = await session.rows(_CUSTOMER_COUNTS[sight.everything], ids=ids, **sight.values())
    return {row.tag_id: row.count for row in rows}
