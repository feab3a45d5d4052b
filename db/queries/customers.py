"""Customers, and what hangs on one of them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import Select, bindparam, func, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.paging import Page, Window, newest_first
from db.reading import Prepared, among, grouped, here, prepared
from db.sight import Sight, seen

Owning = Literal["owner_id", "company_id", "department_id"]

_BY_IDS = {
    everything: prepared(
        select(tables.Customer).where(here(tables.Customer), among(tables.Customer.id, "ids"), seen(everything))
    )
    for everything in (True, False)
}
_BY_EXTERNAL_ID = {
    everything: prepared(
        select(tables.Customer)
        .join(tables.CustomerExternalId, col(tables.CustomerExternalId.customer_id) == tables.Customer.id)
        .where(
            here(tables.Customer, tables.CustomerExternalId),
            col(tables.CustomerExternalId.system) == bindparam("system"),
            col(tables.CustomerExternalId.value) == bindparam("value"),
            seen(everything),
        )
    )
    for everything in (True, False)
}
_BY_EMAIL = {
    everything: prepared(
        select(tables.Customer)
        .where(
            here(tables.Customer),
            col(tables.Customer.id).in_(
                select(tables.CustomerEmail.customer_id).where(
                    here(tables.CustomerEmail), col(tables.CustomerEmail.email_key) == bindparam("email_key")
                )
            ),
            seen(everything),
        )
        .order_by(col(tables.Customer.id).desc())
        .limit(2)
    )
    for everything in (True, False)
}
_SURVIVORS = prepared(
    select(tables.CustomerAlias).where(here(tables.CustomerAlias), among(tables.CustomerAlias.id, "ids"))
)
_ALIASES = prepared(
    select(tables.CustomerAlias)
    .where(here(tables.CustomerAlias), among(tables.CustomerAlias.customer_id, "ids"))
    .order_by(col(tables.CustomerAlias.id))
)
_PHONES = prepared(
    select(tables.CustomerPhone)
    .where(here(tables.CustomerPhone), among(tables.CustomerPhone.customer_id, "ids"))
    .order_by(col(tables.CustomerPhone.position))
)
_EMAILS = prepared(
    select(tables.CustomerEmail)
    .where(here(tables.CustomerEmail), among(tables.CustomerEmail.customer_id, "ids"))
    .order_by(col(tables.CustomerEmail.position))
)
_EXTERNAL_IDS = prepared(
    select(tables.CustomerExternalId)
    .where(here(tables.CustomerExternalId), among(tables.CustomerExternalId.customer_id, "ids"))
    .order_by(col(tables.CustomerExternalId.system), col(tables.CustomerExternalId.value))
)
_BLOCKS = prepared(
    select(tables.CustomerBlock).where(
        here(tables.CustomerBlock),
        among(tables.CustomerBlock.customer_id, "ids"),
        or_(col(tables.CustomerBlock.until).is_(None), col(tables.CustomerBlock.until) > bindparam("now")),
    )
)
_FRIENDS_OF = prepared(
    select(tables.WechatFriend.customer_id).where(
        here(tables.WechatFriend),
        col(tables.WechatFriend.agent_id) == bindparam("agent_id"),
        among(tables.WechatFriend.customer_id, "ids"),
    )
)


async def page(session: Session, window: Window, *, sight: Sight, archived: str) -> Page:
    """A page of the customers in sight, newest first."""
    return await newest_first(session, _listing(sight.everything, archived), window, **sight.values())


async def count(session: Session, *, sight: Sight, archived: str, at_most: int | None = None) -> int:
    """How many there are in sight; counting stops at `at_most`."""
    limit = {"at_most": at_most} if at_most is not None else {}
    rows = await session.rows(_count(sight.everything, archived, bool(limit)), **limit, **sight.values())
    found: int = rows[0].count
    return found


async def by_ids(session: Session, ids: Sequence[bytes], sight: Sight) -> Mapping[bytes, tables.Customer]:
    """The customers in sight under their ids; the id of a merged one finds its survivor."""
    found = {row.id: row for row in await session.rows(_BY_IDS[sight.everything], ids=ids, **sight.values())}
    missing = [identifier for identifier in ids if identifier not in found]
    if missing:
        survivors = {row.id: row.customer_id for row in await session.rows(_SURVIVORS, ids=missing)}
        if survivors:
            found |= await _survivors(session, survivors, sight)
    return found


async def _survivors(
    session: Session, survivors: Mapping[bytes, bytes], sight: Sight
) -> Mapping[bytes, tables.Customer]:
    rows = await session.rows(_BY_IDS[sight.everything], ids=list(set(survivors.values())), **sight.values())
    customers = {row.id: row for row in rows}
    return {old: customers[new] for old, new in survivors.items() if new in customers}


async def by_external_id(session: Session, system: str, value: str, sight: Sight) -> tables.Customer | None:
    return await session.first(_BY_EXTERNAL_ID[sight.everything], system=system, value=value, **sight.values())


async def by_email(session: Session, email_key: str, sight: Sight) -> Sequence[tables.Customer]:
    """The customers in sight with that folded address, primary or not: two at most, for two are ambiguous."""
    return await session.rows(_BY_EMAIL[sight.everything], email_key=email_key, **sight.values())


async def phones(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerPhone]]:
    """Each customer's numbers, the primary one first."""
    return grouped(await session.rows(_PHONES, ids=ids), "customer_id")


async def emails(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerEmail]]:
    """Each customer's addresses, the primary one first."""
    return grouped(await session.rows(_EMAILS, ids=ids), "customer_id")


async def external_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerExternalId]]:
    """Each customer's ids in other systems, by system."""
    return grouped(await session.rows(_EXTERNAL_IDS, ids=ids), "customer_id")


async def blocks(session: Session, ids: Sequence[bytes], now: int) -> Mapping[bytes, tables.CustomerBlock]:
    """The blocks that hold at the moment `now`."""
    return {row.customer_id: row for row in await session.rows(_BLOCKS, ids=ids, now=now)}


async def aliases(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerAlias]]:
    """The old ids of those merged into each customer."""
    return grouped(await session.rows(_ALIASES, ids=ids), "customer_id")


async def friends_of(session: Session, ids: Sequence[bytes], agent_id: bytes | None) -> Mapping[bytes, bool]:
    """Which of the customers are WeChat friends of the agent."""
    if agent_id is None:
        return {}
    return {row.customer_id: True for row in await session.rows(_FRIENDS_OF, ids=ids, agent_id=agent_id)}


async def counts_by(session: Session, ids: Sequence[bytes], column: Owning, sight: Sight) -> Mapping[bytes, int]:
    """How many customers have each id in that column, of those in sight and not archived; absent where none has."""
    rows = await session.rows(_counts_by(column, sight.everything), ids=ids, **sight.values())
    return {row.key: row.count for row in rows}


def _scope(archived: str) -> list[Any]:
    if archived == "INCLUDE":
        return []
    archived_at = col(tables.Customer.archived_at)
    return [archived_at.is_(None) if archived == "EXCLUDE" else archived_at.is_not(None)]


@cache
def _listing(everything: bool, archived: str) -> Any:
    def listing() -> Select[Any]:
        return select(tables.Customer).where(here(tables.Customer), seen(everything), *_scope(archived))

    return listing


@cache
def _count(everything: bool, archived: str, limited: bool) -> Prepared[Any]:
    matching = select(tables.Customer.id).where(here(tables.Customer), seen(everything), *_scope(archived))
    if limited:
        matching = matching.limit(bindparam("at_most"))
    return prepared(select(func.count().label("count")).select_from(matching.subquery()))


@cache
def _counts_by(column: Owning, everything: bool) -> Prepared[Any]:
    key = col(getattr(tables.Customer, column))
    return prepared(
        select(key.label("key"), func.count().label("count"))
        .where(here(tables.Customer), among(key, "ids"), col(tables.Customer.archived_at).is_(None), seen(everything))
        .group_by(key)
    )
