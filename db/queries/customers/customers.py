"""Customers, and what hangs on one of them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import bindparam, func, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session, Work
from db.statements import Prepared, among, grouped, here, prepared
from db.visibility import Sight, seen

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


async def by_ids(session: Session, ids: Sequence[bytes], sight: Sight) -> Mapping[bytes, tables.Customer]:
    """The customers in sight under their ids; the id of a merged one finds its survivor."""
    found = {row.id: row for row in await session.lean(_BY_IDS[sight.everything], ids=ids, **sight.values())}
    missing = [identifier for identifier in ids if identifier not in found]
    if missing:
        now = await survivors(session, missing)
        if now:
            found |= await _survivors(session, now, sight)
    return found


async def survivors(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """Under the old ids among these who they are now."""
    return {row.id: row.customer_id for row in await session.rows(_SURVIVORS, ids=ids)}


async def _survivors(session: Session, now: Mapping[bytes, bytes], sight: Sight) -> Mapping[bytes, tables.Customer]:
    rows = await session.lean(_BY_IDS[sight.everything], ids=list(set(now.values())), **sight.values())
    living = {row.id: row for row in rows}
    return {old: living[new] for old, new in now.items() if new in living}


async def by_external_id(session: Session, system: str, value: str, sight: Sight) -> tables.Customer | None:
    return await session.first(_BY_EXTERNAL_ID[sight.everything], system=system, value=value, **sight.values())


async def by_email(session: Session, email_key: str, sight: Sight) -> Sequence[tables.Customer]:
    """The customers in sight with that folded address, primary or not: two at most, for two are ambiguous."""
    return await session.rows(_BY_EMAIL[sight.everything], email_key=email_key, **sight.values())


_BY_EMAILS = {
    everything: prepared(
        select(tables.CustomerEmail.email_key, tables.CustomerEmail.customer_id)
        .join(tables.Customer, col(tables.Customer.id) == tables.CustomerEmail.customer_id)
        .where(
            here(tables.CustomerEmail, tables.Customer),
            among(tables.CustomerEmail.email_key, "email_keys"),
            seen(everything),
        )
    )
    for everything in (True, False)
}


async def by_emails(session: Session, email_keys: Sequence[str], sight: Sight) -> Mapping[str, list[bytes]]:
    """The ids of the customers in sight with each folded address, primary or not."""
    rows = await session.rows(_BY_EMAILS[sight.everything], email_keys=email_keys, **sight.values())
    found: dict[str, set[bytes]] = {}
    for row in rows:
        found.setdefault(row.email_key, set()).add(row.customer_id)
    return {key: sorted(ids) for key, ids in found.items()}


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


@cache
def _counts_by(column: Owning, everything: bool) -> Prepared[Any]:
    key = col(getattr(tables.Customer, column))
    return prepared(
        select(key.label("key"), func.count().label("count"))
        .where(here(tables.Customer), among(key, "ids"), col(tables.Customer.archived_at).is_(None), seen(everything))
        .group_by(key)
    )


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCKED = {
    everything: prepared(
        select(tables.Customer)
        .where(here(tables.Customer), among(tables.Customer.id, "ids"), seen(everything))
        .order_by(col(tables.Customer.id))
        .with_for_update(key_share=True)
    )
    for everything in (True, False)
}
_HOLDERS = prepared(
    select(tables.CustomerExternalId).where(
        here(tables.CustomerExternalId),
        among(tables.CustomerExternalId.system, "systems"),
        among(tables.CustomerExternalId.value, "values"),
    )
)
_ALL_BLOCKS = prepared(
    select(tables.CustomerBlock).where(here(tables.CustomerBlock), among(tables.CustomerBlock.customer_id, "ids"))
)
_OWNED = prepared(
    select(col(tables.Customer.owner_id).label("key"), func.count().label("count"))
    .where(here(tables.Customer), among(tables.Customer.owner_id, "ids"), col(tables.Customer.archived_at).is_(None))
    .group_by(col(tables.Customer.owner_id))
)
_OWNED_IDS = prepared(
    select(tables.Customer.id)
    .where(
        here(tables.Customer),
        col(tables.Customer.owner_id) == bindparam("agent_id"),
        col(tables.Customer.archived_at).is_(None),
    )
    .order_by(col(tables.Customer.id).desc())
)


async def locked(work: Work, ids: Sequence[bytes], sight: Sight) -> Mapping[bytes, tables.Customer]:
    """Those in sight, held until the transaction ends: whoever else would change them waits. In the order of ids, so
    that two never wait for each other. The id of a merged one finds its survivor."""
    rows = await work.rows(_LOCKED[sight.everything], ids=ids, **sight.values())
    found = {row.id: row for row in rows}
    missing = [identifier for identifier in ids if identifier not in found]
    if missing:
        now = await survivors(work, missing)
        if now:
            rows = await work.rows(_LOCKED[sight.everything], ids=list(set(now.values())), **sight.values())
            living = {row.id: row for row in rows}
            found |= {old: living[new] for old, new in now.items() if new in living}
    return found


async def holders(session: Session, pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
    """Who has each of the external ids, (system, value), whether in sight or not."""
    systems, values = [system for system, _ in pairs], [value for _, value in pairs]
    rows = await session.rows(_HOLDERS, systems=systems, values=values)
    wanted = set(pairs)
    return {(row.system, row.value): row.customer_id for row in rows if (row.system, row.value) in wanted}


async def all_blocks(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.CustomerBlock]:
    """Their blocks, expired ones as well."""
    return {row.customer_id: row for row in await session.rows(_ALL_BLOCKS, ids=ids)}


async def owned(session: Session, agent_ids: Sequence[bytes]) -> Mapping[bytes, int]:
    """How many customers each agent owns, archived ones left out, whoever may see them."""
    return {row.key: row.count for row in await session.rows(_OWNED, ids=agent_ids)}


async def owned_ids(session: Session, agent_id: bytes) -> list[bytes]:
    """Whom the agent owns, the newest first, archived ones left out, whoever may see them."""
    return [row.id for row in await session.rows(_OWNED_IDS, agent_id=agent_id)]


_BUSY = {
    table: prepared(select(table.customer_id).where(here(table), among(table.customer_id, "ids")))
    for table in (tables.Note, tables.Interaction, tables.Order, tables.CustomerAlias)
}


async def with_activities(session: Session, ids: Sequence[bytes]) -> frozenset[bytes]:
    """Those who have a note, an interaction or an order."""
    found: set[bytes] = set()
    for statement in _BUSY.values():
        found |= {row.customer_id for row in await session.rows(statement, ids=ids)}
    return frozenset(found)
