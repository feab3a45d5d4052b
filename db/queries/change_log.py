"""The change log: the feed, the changes of one record, and the removal of deleted records' history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, not_, true
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.paging import keyset
from db.paging.keyset import PageRequest
from db.queries.customers import customers
from db.queries.matching import matches
from db.queries.matching.matches import CustomerMatch
from db.statements import PreparedStatement, any_of, in_workspace, prepare
from db.tables.enums import ChangeAction
from db.visibility import Visibility

# The columns that link a change to a customer: its own record, and the customer of a note, interaction or order.
_BY_CUSTOMER = ("node_id", "customer_id")

_FORGET = [
    prepare(delete(tables.Change).where(in_workspace(tables.Change), any_of(getattr(tables.Change, name), "ids")))
    for name in _BY_CUSTOMER
]
_BY_SEQS = prepare(select(tables.Change).where(in_workspace(tables.Change), any_of(tables.Change.seq, "seqs")))

_SHARED = prepare(
    select(tables.SavedView.id).where(
        in_workspace(tables.SavedView), any_of(tables.SavedView.id, "ids"), col(tables.SavedView.shared).is_(true())
    )
)

MAX_SCANNED_ROWS: Final = 500
"""Up to this many customers are looked up in the log; for more, the log is scanned."""


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """Conditions on changes; None for any. `customers` are the customers that changes belong to, directly or through
    notes, interactions and orders. `not_by` excludes an actor (kind, id)."""

    entities: tuple[str, ...] | None = None
    actions: tuple[int, ...] | None = None
    nodes: tuple[bytes, ...] | None = None
    customers: tuple[bytes, ...] | None = None
    since: int | None = None
    not_by: tuple[int, bytes] | None = None


async def delete_history_of(transaction: Transaction, customer_ids: Sequence[bytes]) -> None:
    """Deletes the history of these customers and of their records."""
    for statement in _FORGET:
        await transaction.execute(statement, ids=customer_ids)


async def fetch_changes(session: Session, after: int, size: int, asked: ChangeQuery) -> list[tables.Change]:
    """The next changes after the number `after`, oldest first."""
    if asked.customers is None:
        return await _read(session, after, size, asked)
    # Two parts of two indexes. With one OR condition the planner would scan all changes.
    parts = [await _read(session, after, size, asked, by=name) for name in _BY_CUSTOMER]
    return sorted((row for part in parts for row in part), key=lambda row: row.seq)[:size]


async def _read(
    session: Session, after: int, size: int, asked: ChangeQuery, *, by: str | None = None
) -> list[tables.Change]:
    shape = (
        asked.entities is not None,
        asked.actions is not None,
        asked.nodes is not None,
        asked.since is not None,
        asked.not_by is not None,
    )
    kind, actor = asked.not_by or (None, None)
    return await session.fetch_all(
        _lines(shape, by),
        after=after,
        size=size,
        customers=asked.customers,
        entities=asked.entities,
        actions=asked.actions,
        nodes=asked.nodes,
        since=asked.since,
        kind=kind,
        actor=actor,
    )


def change_id(seq: int) -> bytes:
    """The number of a change as an id."""
    return seq.to_bytes(16)


async def by_ids(session: Session, ids: Sequence[bytes], visibility: Visibility) -> Mapping[bytes, tables.Change]:
    """Visible changes by their numbers as ids."""
    seqs = [seq for one in ids if (seq := int.from_bytes(one)) < 2**63]
    rows = await session.fetch_all(_BY_SEQS, seqs=seqs) if seqs else []
    return {change_id(row.seq): row for row in await visible_nodes(session, rows, visibility)}


async def visible_changes(
    session: Session, rows: Sequence[Any], actor_id: bytes, *, hidden: Collection[str]
) -> list[Any]:
    """Excludes changes of hidden types, and of saved views that are neither shared nor changed by the actor."""
    views = [row.node_id for row in rows if row.entity == "SavedView" and row.actor_id != actor_id]
    shared = {row.id for row in await session.fetch_all(_SHARED, ids=views)} if views else set()
    return [
        row
        for row in rows
        if row.entity not in hidden and (row.entity != "SavedView" or row.actor_id == actor_id or row.node_id in shared)
    ]


async def visible_nodes(session: Session, rows: Sequence[Any], visibility: Visibility) -> list[Any]:
    """Changes that belong to no customer or to a visible one. Changes of deleted customers store who could see them."""
    if visibility.sees_all:
        return list(rows)
    wanted = {named for row in rows if (named := customer_of_change(row)) is not None and not _deletes(row)}
    seen = set(await customers.by_ids(session, list(wanted), visibility)) if wanted else set()
    return [row for row in rows if _is_seen(row, visibility, seen)]


def _is_seen(row: Any, visibility: Visibility, seen: set[bytes]) -> bool:
    if _deletes(row):
        return visibility.could_see(row.audience or {})
    named = customer_of_change(row)
    return named is None or named in seen


async def related_customer_ids(session: Session, match: CustomerMatch) -> tuple[bytes, ...] | None:
    """All current and former ids of the customers that match; None if they are more than MAX_SCANNED_ROWS."""
    found = await keyset.fetch_page(
        session, await matches.page_list_query(session, match), PageRequest(MAX_SCANNED_ROWS)
    )
    if found.has_next:
        return None
    ids = [row.id for row in found.rows]
    merged = await customers.merged_ids(session, ids) if ids else {}
    return (*ids, *(one.id for rows in merged.values() for one in rows))


async def changes_of_customer(session: Session, rows: Sequence[Any], match: CustomerMatch) -> list[Any]:
    """The changes that belong to customers that match."""
    named = list({one for row in rows if (one := customer_of_change(row)) is not None})
    if not named:
        return []
    now = await customers.survivor_ids(session, named)
    found = await matches.matching_ids(session, match, list({now.get(one, one) for one in named}))
    return [row for row in rows if (one := customer_of_change(row)) is not None and now.get(one, one) in found]


def customer_of_change(row: Any) -> bytes | None:
    """The customer that the change belongs to, directly or through a record; None if there is none."""
    named: bytes | None = row.node_id if row.entity == "Customer" else row.customer_id
    return named


def _deletes(row: Any) -> bool:
    """Whether the change deletes a customer."""
    return bool(row.entity == "Customer" and row.action == ChangeAction.DELETED)


@cache
def _lines(shape: tuple[bool, ...], by: str | None) -> PreparedStatement[Any]:
    table = tables.Change
    entities, actions, nodes, since, not_by = shape
    statement = select(table).where(in_workspace(table), col(table.seq) > bindparam("after"))
    if by is not None:
        statement = statement.where(any_of(getattr(table, by), "customers"))
    if entities:
        statement = statement.where(any_of(table.entity, "entities"))
    if actions:
        statement = statement.where(any_of(table.action, "actions"))
    if nodes:
        statement = statement.where(any_of(table.node_id, "nodes"))
    if since:
        statement = statement.where(col(table.at) >= bindparam("since"))
    if not_by:
        own = (col(table.actor_kind) == bindparam("kind")) & (
            func.coalesce(col(table.actor_id), b"") == bindparam("actor")
        )
        statement = statement.where(not_(own))
    return prepare(statement.order_by(col(table.seq)).limit(bindparam("size")))
