"""Tags and the customers that have them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, inspect, literal_column, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.filtering.sqlite_hints import ForcedJoinOrder, without_index
from db.paging.nested_pages import ParentTable
from db.statements import any_of, group_rows, in_workspace, prepare
from db.visibility import Visibility, visible_to

_BY_IDS = prepare(select(tables.Tag).where(in_workspace(tables.Tag), any_of(tables.Tag.id, "ids")))
_WORN = (
    select(tables.CustomerTag.customer_id, tables.Tag)
    .join(tables.Tag, col(tables.Tag.id) == tables.CustomerTag.tag_id)
    .where(in_workspace(tables.Tag, tables.CustomerTag), any_of(tables.CustomerTag.customer_id, "ids"))
)
_BY_CUSTOMER = prepare(
    _WORN.order_by(col(tables.Tag.name_key), col(tables.Tag.id)),
    # SQLite would search every tag of the workspace for each customer to avoid sorting a few rows.
    sqlite=_WORN.order_by(literal_column("+tag.name_key"), col(tables.Tag.id)),
)
_COUNTED_IN_SIGHT = prepare(
    select(tables.CustomerTag.tag_id, func.count().label("count"))
    .join(tables.Customer, col(tables.Customer.id) == tables.CustomerTag.customer_id)
    .where(
        in_workspace(tables.CustomerTag, tables.Customer),
        any_of(tables.CustomerTag.tag_id, "ids"),
        col(tables.Customer.archived_at).is_(None),
        visible_to(False),
    )
    .group_by(col(tables.CustomerTag.tag_id))
)


def _counted(tag_id: Any) -> Any:
    """All customers with the tag, without reading them, minus the few archived ones. `tag_id` is compared with the tags
    of the latter."""
    worn: Any = tables.CustomerTag
    both = ForcedJoinOrder(
        inspect(tables.Customer).selectable, inspect(worn).selectable, worn.customer_id == tables.Customer.id
    )
    archived = (
        select(worn.tag_id, (-func.count()).label("count"))
        .select_from(both)
        .where(
            in_workspace(tables.Customer, worn), col(tables.Customer.archived_at).is_not(None), any_of(tag_id, "ids")
        )
        .group_by(worn.tag_id)
    )
    everybody = select(worn.tag_id, func.count().label("count")).where(in_workspace(worn), any_of(worn.tag_id, "ids"))
    return everybody.group_by(worn.tag_id).union_all(archived)


_COUNTED = prepare(_counted(tables.CustomerTag.tag_id), sqlite=_counted(without_index(col(tables.CustomerTag.tag_id))))


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Tag]:
    return {row.id: row for row in await session.fetch_pruned(_BY_IDS, ids=ids)}


async def by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.Tag]]:
    """The tags of each customer, sorted by name."""
    return group_rows(await session.fetch_pruned(_BY_CUSTOMER, ids=ids), "customer_id")


async def customer_counts(session: Session, ids: Sequence[bytes], visibility: Visibility) -> Mapping[bytes, int]:
    """The number of visible customers of each tag, without archived ones; tags without customers are absent."""
    rows = await session.fetch_all(
        _COUNTED if visibility.sees_all else _COUNTED_IN_SIGHT, ids=ids, **visibility.parameters()
    )
    found: dict[bytes, int] = {}
    for row in rows:
        found[row.tag_id] = found.get(row.tag_id, 0) + row.count
    return found


def _customers(found: Select[Any], row: Any) -> Select[Any]:
    worn: Any = aliased(tables.CustomerTag)
    found = found.join(worn, and_(in_workspace(worn), worn.customer_id == row.id))
    return found.where(worn.tag_id == tables.Tag.id)


TAGS_AS_PARENTS = ParentTable(tables.Tag, _customers)
"""The customers of each tag."""


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

# Locks the tags, so that none is deleted before the customer that gets it is written.
_NAMED = prepare(
    select(tables.Tag)
    .where(in_workspace(tables.Tag), or_(any_of(tables.Tag.id, "ids"), any_of(tables.Tag.unique_key, "unique_keys")))
    .with_for_update(read=True, key_share=True)
)
_LOCKED = prepare(
    select(tables.Tag)
    .where(in_workspace(tables.Tag), any_of(tables.Tag.id, "ids"))
    .order_by(col(tables.Tag.id))
    .with_for_update()
)
_WEARERS = prepare(
    select(tables.CustomerTag.customer_id)
    .where(in_workspace(tables.CustomerTag), any_of(tables.CustomerTag.tag_id, "ids"))
    .distinct()
    .order_by(col(tables.CustomerTag.customer_id))
)
_BY_NAME = prepare(
    select(tables.Tag).where(
        in_workspace(tables.Tag),
        col(tables.Tag.kind) == bindparam("kind"),
        col(tables.Tag.unique_key) == bindparam("unique_key"),
    )
)


async def ids_by_name(transaction: Transaction, ids: Sequence[bytes], unique_keys: Sequence[str]) -> list[tables.Tag]:
    """The tags with these ids or case-folded names, of any kind, locked until the end of the transaction."""
    return await transaction.fetch_all(_NAMED, ids=ids, unique_keys=unique_keys)


async def lock_by_ids(transaction: Transaction, ids: Sequence[bytes]) -> Mapping[bytes, tables.Tag]:
    """Locks the tag until the end of the transaction, so that nobody adds or removes it."""
    return {row.id: row for row in await transaction.fetch_all(_LOCKED, ids=ids)}


async def tagged_customer_ids(session: Session, ids: Sequence[bytes]) -> list[bytes]:
    """The ids of the customers with any of the tags, including archived and invisible ones."""
    return [row.customer_id for row in await session.fetch_all(_WEARERS, ids=ids)]


async def by_name(session: Session, kind: int, unique_key: str) -> tables.Tag | None:
    """The tag of that kind with that case-folded name."""
    return await session.fetch_first(_BY_NAME, kind=kind, unique_key=unique_key)
