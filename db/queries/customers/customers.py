"""Customers and their child rows."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import bindparam, func, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.statements import PreparedStatement, any_of, group_rows, in_workspace, prepare
from db.visibility import Visibility, visible_to

LockedCustomers = Literal["owner_id", "company_id", "department_id"]

_BY_IDS = {
    sees_all: prepare(
        select(tables.Customer).where(
            in_workspace(tables.Customer), any_of(tables.Customer.id, "ids"), visible_to(sees_all)
        )
    )
    for sees_all in (True, False)
}
_BY_EXTERNAL_ID = {
    sees_all: prepare(
        select(tables.Customer)
        .join(tables.CustomerExternalId, col(tables.CustomerExternalId.customer_id) == tables.Customer.id)
        .where(
            in_workspace(tables.Customer, tables.CustomerExternalId),
            col(tables.CustomerExternalId.system) == bindparam("system"),
            col(tables.CustomerExternalId.value) == bindparam("value"),
            visible_to(sees_all),
        )
    )
    for sees_all in (True, False)
}
_BY_EMAIL = {
    sees_all: prepare(
        select(tables.Customer)
        .where(
            in_workspace(tables.Customer),
            col(tables.Customer.id).in_(
                select(tables.CustomerEmail.customer_id).where(
                    in_workspace(tables.CustomerEmail), col(tables.CustomerEmail.email_key) == bindparam("email_key")
                )
            ),
            visible_to(sees_all),
        )
        .order_by(col(tables.Customer.id).desc())
        .limit(2)
    )
    for sees_all in (True, False)
}
_SURVIVORS = prepare(
    select(tables.CustomerAlias).where(in_workspace(tables.CustomerAlias), any_of(tables.CustomerAlias.id, "ids"))
)
_ALIASES = prepare(
    select(tables.CustomerAlias)
    .where(in_workspace(tables.CustomerAlias), any_of(tables.CustomerAlias.customer_id, "ids"))
    .order_by(col(tables.CustomerAlias.id))
)
_PHONES = prepare(
    select(tables.CustomerPhone)
    .where(in_workspace(tables.CustomerPhone), any_of(tables.CustomerPhone.customer_id, "ids"))
    .order_by(col(tables.CustomerPhone.position))
)
_EMAILS = prepare(
    select(tables.CustomerEmail)
    .where(in_workspace(tables.CustomerEmail), any_of(tables.CustomerEmail.customer_id, "ids"))
    .order_by(col(tables.CustomerEmail.position))
)
_EXTERNAL_IDS = prepare(
    select(tables.CustomerExternalId)
    .where(in_workspace(tables.CustomerExternalId), any_of(tables.CustomerExternalId.customer_id, "ids"))
    .order_by(col(tables.CustomerExternalId.system), col(tables.CustomerExternalId.value))
)
_BLOCKS = prepare(
    select(tables.CustomerBlock).where(
        in_workspace(tables.CustomerBlock),
        any_of(tables.CustomerBlock.customer_id, "ids"),
        or_(col(tables.CustomerBlock.until).is_(None), col(tables.CustomerBlock.until) > bindparam("now")),
    )
)
_FRIENDS_OF = prepare(
    select(tables.WechatFriend.customer_id).where(
        in_workspace(tables.WechatFriend),
        col(tables.WechatFriend.agent_id) == bindparam("agent_id"),
        any_of(tables.WechatFriend.customer_id, "ids"),
    )
)


async def by_ids(session: Session, ids: Sequence[bytes], visibility: Visibility) -> Mapping[bytes, tables.Customer]:
    """The visible customers by id. The id of a merged customer finds its survivor."""
    found = {
        row.id: row
        for row in await session.fetch_pruned(_BY_IDS[visibility.sees_all], ids=ids, **visibility.parameters())
    }
    missing = [identifier for identifier in ids if identifier not in found]
    if missing:
        now = await survivor_ids(session, missing)
        if now:
            found |= await _survivors(session, now, visibility)
    return found


async def survivor_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """The survivors of the merged ids among these."""
    return {row.id: row.customer_id for row in await session.fetch_all(_SURVIVORS, ids=ids)}


async def _survivors(
    session: Session, now: Mapping[bytes, bytes], visibility: Visibility
) -> Mapping[bytes, tables.Customer]:
    rows = await session.fetch_pruned(
        _BY_IDS[visibility.sees_all], ids=list(set(now.values())), **visibility.parameters()
    )
    living = {row.id: row for row in rows}
    return {old: living[new] for old, new in now.items() if new in living}


async def by_external_id(session: Session, system: str, value: str, visibility: Visibility) -> tables.Customer | None:
    return await session.fetch_first(
        _BY_EXTERNAL_ID[visibility.sees_all], system=system, value=value, **visibility.parameters()
    )


async def by_email(session: Session, email_key: str, visibility: Visibility) -> Sequence[tables.Customer]:
    """The visible customers with that folded e-mail address, primary or not. At most two, because two are ambiguous."""
    return await session.fetch_all(_BY_EMAIL[visibility.sees_all], email_key=email_key, **visibility.parameters())


_BY_EMAILS = {
    sees_all: prepare(
        select(tables.CustomerEmail.email_key, tables.CustomerEmail.customer_id)
        .join(tables.Customer, col(tables.Customer.id) == tables.CustomerEmail.customer_id)
        .where(
            in_workspace(tables.CustomerEmail, tables.Customer),
            any_of(tables.CustomerEmail.email_key, "email_keys"),
            visible_to(sees_all),
        )
    )
    for sees_all in (True, False)
}


async def by_emails(session: Session, email_keys: Sequence[str], visibility: Visibility) -> Mapping[str, list[bytes]]:
    """The ids of the visible customers of each folded e-mail address, primary or not."""
    rows = await session.fetch_all(_BY_EMAILS[visibility.sees_all], email_keys=email_keys, **visibility.parameters())
    found: dict[str, set[bytes]] = {}
    for row in rows:
        found.setdefault(row.email_key, set()).add(row.customer_id)
    return {key: sorted(ids) for key, ids in found.items()}


async def phones(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerPhone]]:
    """The phone numbers of each customer, the primary number first."""
    return group_rows(await session.fetch_all(_PHONES, ids=ids), "customer_id")


async def emails(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerEmail]]:
    """The e-mail addresses of each customer, the primary address first."""
    return group_rows(await session.fetch_all(_EMAILS, ids=ids), "customer_id")


async def external_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerExternalId]]:
    """The external ids of each customer, sorted by system."""
    return group_rows(await session.fetch_all(_EXTERNAL_IDS, ids=ids), "customer_id")


async def blocks(session: Session, ids: Sequence[bytes], now: int) -> Mapping[bytes, tables.CustomerBlock]:
    """The blocks that are in effect at the time `now`."""
    return {row.customer_id: row for row in await session.fetch_all(_BLOCKS, ids=ids, now=now)}


async def merged_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CustomerAlias]]:
    """The ids that were merged into each customer."""
    return group_rows(await session.fetch_all(_ALIASES, ids=ids), "customer_id")


async def friends_of(session: Session, ids: Sequence[bytes], agent_id: bytes | None) -> Mapping[bytes, bool]:
    """The customers that are WeChat friends of the agent."""
    if agent_id is None:
        return {}
    return {row.customer_id: True for row in await session.fetch_all(_FRIENDS_OF, ids=ids, agent_id=agent_id)}


async def customer_counts_by(
    session: Session, ids: Sequence[bytes], column: LockedCustomers, visibility: Visibility
) -> Mapping[bytes, int]:
    """The number of visible customers for each id in that column, without archived ones; ids without customers are
    absent."""
    rows = await session.fetch_all(_counts_by(column, visibility.sees_all), ids=ids, **visibility.parameters())
    return {row.key: row.count for row in rows}


@cache
def _counts_by(column: LockedCustomers, sees_all: bool) -> PreparedStatement[Any]:
    key = col(getattr(tables.Customer, column))
    return prepare(
        select(key.label("key"), func.count().label("count"))
        .where(
            in_workspace(tables.Customer),
            any_of(key, "ids"),
            col(tables.Customer.archived_at).is_(None),
            visible_to(sees_all),
        )
        .group_by(key)
    )


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCKED = {
    sees_all: prepare(
        select(tables.Customer)
        .where(in_workspace(tables.Customer), any_of(tables.Customer.id, "ids"), visible_to(sees_all))
        .order_by(col(tables.Customer.id))
        .with_for_update(key_share=True)
    )
    for sees_all in (True, False)
}
_HOLDERS = prepare(
    select(tables.CustomerExternalId).where(
        in_workspace(tables.CustomerExternalId),
        any_of(tables.CustomerExternalId.system, "systems"),
        any_of(tables.CustomerExternalId.value, "values"),
    )
)
_ALL_BLOCKS = prepare(
    select(tables.CustomerBlock).where(
        in_workspace(tables.CustomerBlock), any_of(tables.CustomerBlock.customer_id, "ids")
    )
)
_OWNED = prepare(
    select(col(tables.Customer.owner_id).label("key"), func.count().label("count"))
    .where(
        in_workspace(tables.Customer),
        any_of(tables.Customer.owner_id, "ids"),
        col(tables.Customer.archived_at).is_(None),
    )
    .group_by(col(tables.Customer.owner_id))
)
_OWNED_IDS = prepare(
    select(tables.Customer.id)
    .where(
        in_workspace(tables.Customer),
        col(tables.Customer.owner_id) == bindparam("agent_id"),
        col(tables.Customer.archived_at).is_(None),
    )
    .order_by(col(tables.Customer.id).desc())
)


async def lock_by_ids(
    transaction: Transaction, ids: Sequence[bytes], visibility: Visibility
) -> Mapping[bytes, tables.Customer]:
    """The visible customers, locked until the end of the transaction in id order, so that no two transactions deadlock.
    The id of a merged customer finds its survivor."""
    rows = await transaction.fetch_all(_LOCKED[visibility.sees_all], ids=ids, **visibility.parameters())
    found = {row.id: row for row in rows}
    missing = [identifier for identifier in ids if identifier not in found]
    if missing:
        now = await survivor_ids(transaction, missing)
        if now:
            rows = await transaction.fetch_all(
                _LOCKED[visibility.sees_all], ids=list(set(now.values())), **visibility.parameters()
            )
            living = {row.id: row for row in rows}
            found |= {old: living[new] for old, new in now.items() if new in living}
    return found


async def ids_by_external_id(session: Session, pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
    """The customer of each external id (system, value), visible or not."""
    systems, values = [system for system, _ in pairs], [value for _, value in pairs]
    rows = await session.fetch_all(_HOLDERS, systems=systems, values=values)
    wanted = set(pairs)
    return {(row.system, row.value): row.customer_id for row in rows if (row.system, row.value) in wanted}


async def blocks_including_expired(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.CustomerBlock]:
    """The blocks of the customers, including expired ones."""
    return {row.customer_id: row for row in await session.fetch_all(_ALL_BLOCKS, ids=ids)}


async def owned_counts(session: Session, agent_ids: Sequence[bytes]) -> Mapping[bytes, int]:
    """The number of customers that each agent owns, without archived ones, regardless of visibility."""
    return {row.key: row.count for row in await session.fetch_all(_OWNED, ids=agent_ids)}


async def owned_ids(session: Session, agent_id: bytes) -> list[bytes]:
    """The ids of the customers that the agent owns, newest first, without archived ones, regardless of visibility."""
    return [row.id for row in await session.fetch_all(_OWNED_IDS, agent_id=agent_id)]


_BUSY = {
    table: prepare(select(table.customer_id).where(in_workspace(table), any_of(table.customer_id, "ids")))
    for table in (tables.Note, tables.Interaction, tables.Order, tables.CustomerAlias)
}


async def with_activities(session: Session, ids: Sequence[bytes]) -> frozenset[bytes]:
    """The customers with a note, an interaction or an order."""
    found: set[bytes] = set()
    for statement in _BUSY.values():
        found |= {row.customer_id for row in await session.fetch_all(statement, ids=ids)}
    return frozenset(found)
