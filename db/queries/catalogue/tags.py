"""Tags: the catalogue, and who wears them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, inspect, literal_column, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from db import tables
from db.engine import Session, Work
from db.filtering.sqlite_hints import following, held
from db.paging.nested_pages import Parents
from db.statements import among, grouped, here, prepared
from db.visibility import Sight, seen

_BY_IDS = prepared(select(tables.Tag).where(here(tables.Tag), among(tables.Tag.id, "ids")))
_WORN = (
    select(tables.CustomerTag.customer_id, tables.Tag)
    .join(tables.Tag, col(tables.Tag.id) == tables.CustomerTag.tag_id)
    .where(here(tables.Tag, tables.CustomerTag), among(tables.CustomerTag.customer_id, "ids"))
)
_BY_CUSTOMER = prepared(
    _WORN.order_by(col(tables.Tag.name_key), col(tables.Tag.id)),
    # SQLite would look for every tag of the workspace at every customer, to spare itself the sorting of a few.
    sqlite=_WORN.order_by(literal_column("+tag.name_key"), col(tables.Tag.id)),
)
_COUNTED_IN_SIGHT = prepared(
    select(tables.CustomerTag.tag_id, func.count().label("count"))
    .join(tables.Customer, col(tables.Customer.id) == tables.CustomerTag.customer_id)
    .where(
        here(tables.CustomerTag, tables.Customer),
        among(tables.CustomerTag.tag_id, "ids"),
        col(tables.Customer.archived_at).is_(None),
        seen(False),
    )
    .group_by(col(tables.CustomerTag.tag_id))
)


def _counted(tag_id: Any) -> Any:
    """All who wear it, whom no one needs to look at, and those off who are archived, for they are few. `tag_id` is
    what the tags of the latter are compared by."""
    worn: Any = tables.CustomerTag
    both = following(
        inspect(tables.Customer).selectable, inspect(worn).selectable, worn.customer_id == tables.Customer.id
    )
    archived = (
        select(worn.tag_id, (-func.count()).label("count"))
        .select_from(both)
        .where(here(tables.Customer, worn), col(tables.Customer.archived_at).is_not(None), among(tag_id, "ids"))
        .group_by(worn.tag_id)
    )
    everybody = select(worn.tag_id, func.count().label("count")).where(here(worn), among(worn.tag_id, "ids"))
    return everybody.group_by(worn.tag_id).union_all(archived)


_COUNTED = prepared(_counted(tables.CustomerTag.tag_id), sqlite=_counted(held(col(tables.CustomerTag.tag_id))))


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Tag]:
    return {row.id: row for row in await session.lean(_BY_IDS, ids=ids)}


async def by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Tag]]:
    """The tags each customer wears, by name."""
    return grouped(await session.lean(_BY_CUSTOMER, ids=ids), "customer_id")


async def customer_counts(session: Session, ids: Sequence[bytes], sight: Sight) -> Mapping[bytes, int]:
    """How many customers wear each tag, of those in sight and not archived; absent where nobody does."""
    rows = await session.rows(_COUNTED if sight.everything else _COUNTED_IN_SIGHT, ids=ids, **sight.values())
    found: dict[bytes, int] = {}
    for row in rows:
        found[row.tag_id] = found.get(row.tag_id, 0) + row.count
    return found


def _customers(found: Select[Any], row: Any) -> Select[Any]:
    worn: Any = aliased(tables.CustomerTag)
    found = found.join(worn, and_(here(worn), worn.customer_id == row.id))
    return found.where(worn.tag_id == tables.Tag.id)


CUSTOMERS = Parents(tables.Tag, _customers)
"""The customers of each."""


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

# Held so that no tag is deleted before the customer who is given it is written.
_NAMED = prepared(
    select(tables.Tag)
    .where(here(tables.Tag), or_(among(tables.Tag.id, "ids"), among(tables.Tag.unique_key, "unique_keys")))
    .with_for_update(read=True, key_share=True)
)
_LOCKED = prepared(
    select(tables.Tag)
    .where(here(tables.Tag), among(tables.Tag.id, "ids"))
    .order_by(col(tables.Tag.id))
    .with_for_update()
)
_WEARERS = prepared(
    select(tables.CustomerTag.customer_id)
    .where(here(tables.CustomerTag), among(tables.CustomerTag.tag_id, "ids"))
    .distinct()
    .order_by(col(tables.CustomerTag.customer_id))
)
_BY_NAME = prepared(
    select(tables.Tag).where(
        here(tables.Tag),
        col(tables.Tag.kind) == bindparam("kind"),
        col(tables.Tag.unique_key) == bindparam("unique_key"),
    )
)


async def named(work: Work, ids: Sequence[bytes], unique_keys: Sequence[str]) -> list[tables.Tag]:
    """The tags with these ids or caseless names, of any kind; they stay until the transaction ends."""
    return await work.rows(_NAMED, ids=ids, unique_keys=unique_keys)


async def locked(work: Work, ids: Sequence[bytes]) -> Mapping[bytes, tables.Tag]:
    """Nobody gives or takes them off until the transaction ends."""
    return {row.id: row for row in await work.rows(_LOCKED, ids=ids)}


async def wearers(session: Session, ids: Sequence[bytes]) -> list[bytes]:
    """The customers who wear any of the tags, archived ones and those out of sight as well."""
    return [row.customer_id for row in await session.rows(_WEARERS, ids=ids)]


async def by_name(session: Session, kind: int, unique_key: str) -> tables.Tag | None:
    """The tag of that kind with that caseless name."""
    return await session.first(_BY_NAME, kind=kind, unique_key=unique_key)
