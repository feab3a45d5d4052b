"""The log of changes: the feed, what is told of one record, and what is forgotten of deleted ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, not_, true
from sqlmodel import col, select

from db import tables
from db.engine import Session, Work
from db.queries import activities, customers
from db.reading import Prepared, among, here, prepared
from db.sight import Sight
from db.tables.enums import ChangeAction

_FORGET = prepared(delete(tables.Change).where(here(tables.Change), among(tables.Change.node_id, "ids")))
_BY_SEQS = prepared(select(tables.Change).where(here(tables.Change), among(tables.Change.seq, "seqs")))

_SHARED = prepared(
    select(tables.SavedView.id).where(
        here(tables.SavedView), among(tables.SavedView.id, "ids"), col(tables.SavedView.shared).is_(true())
    )
)

# Lines that belong to a customer by what they are about.
_ABOUT: Mapping[str, Any] = {
    "Note": tables.Note,
    "Interaction": tables.Interaction,
    "Order": tables.Order,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines are wanted; None for any. `not_by` leaves out those of one actor, (kind, id)."""

    entities: tuple[str, ...] | None = None
    actions: tuple[int, ...] | None = None
    nodes: tuple[bytes, ...] | None = None
    since: int | None = None
    not_by: tuple[int, bytes] | None = None


async def forget(work: Work, node_ids: Sequence[bytes]) -> None:
    """Removes all that was logged of these records."""
    await work.execute(_FORGET, ids=node_ids)


async def lines(session: Session, after: int, size: int, asked: Asked) -> list[tables.Change]:
    """The next lines behind the number `after`, oldest first."""
    shape = (
        asked.entities is not None,
        asked.actions is not None,
        asked.nodes is not None,
        asked.since is not None,
        asked.not_by is not None,
    )
    kind, actor = asked.not_by or (None, None)
    return await session.rows(
        _lines(shape),
        after=after,
        size=size,
        entities=asked.entities,
        actions=asked.actions,
        nodes=asked.nodes,
        since=asked.since,
        kind=kind,
        actor=actor,
    )


def identifier(seq: int) -> bytes:
    """A line's number as an id."""
    return seq.to_bytes(16)


async def by_ids(session: Session, ids: Sequence[bytes], sight: Sight) -> Mapping[bytes, tables.Change]:
    """Lines in sight under their numbers as ids."""
    seqs = [seq for one in ids if (seq := int.from_bytes(one)) < 2**63]
    rows = await session.rows(_BY_SEQS, seqs=seqs) if seqs else []
    return {identifier(row.seq): row for row in await in_sight(session, rows, sight)}


async def readable(session: Session, rows: Sequence[Any], actor_id: bytes, *, hidden: Collection[str]) -> list[Any]:
    """Those that are not of a hidden type, and of saved views those that are shared or that the actor changed."""
    views = [row.node_id for row in rows if row.entity == "SavedView" and row.actor_id != actor_id]
    shared = {row.id for row in await session.rows(_SHARED, ids=views)} if views else set()
    return [
        row
        for row in rows
        if row.entity not in hidden and (row.entity != "SavedView" or row.actor_id == actor_id or row.node_id in shared)
    ]


async def in_sight(session: Session, rows: Sequence[Any], sight: Sight) -> list[Any]:
    """Those lines that are about nobody in particular, or about customers in sight. What is no more is judged by who
    could see it: a line keeps that where it deletes."""
    if sight.everything:
        return list(rows)
    wanted = {row.node_id for row in rows if row.entity == "Customer" and row.action != ChangeAction.DELETED}
    wanted |= {named for row in rows if (named := _customer(row)) is not None}
    seen = set(await customers.by_ids(session, list(wanted), sight)) if wanted else set()
    kept: dict[str, set[bytes]] = {}
    for entity, table in _ABOUT.items():
        ids = [row.node_id for row in rows if row.entity == entity and _customer(row) is None]
        kept[entity] = set(await activities.in_sight(session, ids, table, sight)) if ids else set()
    return [row for row in rows if _is_seen(row, sight, seen, kept)]


def _is_seen(row: Any, sight: Sight, seen: set[bytes], kept: Mapping[str, set[bytes]]) -> bool:
    if row.entity == "Customer":
        return sight.could_see(row.audience or {}) if row.action == ChangeAction.DELETED else row.node_id in seen
    if row.entity in kept:
        named = _customer(row)
        return row.node_id in kept[row.entity] if named is None else named in seen
    return True


def _customer(row: Any) -> bytes | None:
    """The customer that the line itself names."""
    if row.entity not in _ABOUT:
        return None
    if row.audience and "customer" in row.audience:
        return bytes.fromhex(row.audience["customer"])
    named = next((one["after"] for one in row.fields if one["field"] == "customer"), None)
    return bytes.fromhex(named.removeprefix("cus_")) if named else None


@cache
def _lines(shape: tuple[bool, ...]) -> Prepared[Any]:
    table = tables.Change
    entities, actions, nodes, since, not_by = shape
    statement = select(table).where(here(table), col(table.seq) > bindparam("after"))
    if entities:
        statement = statement.where(among(table.entity, "entities"))
    if actions:
        statement = statement.where(among(table.action, "actions"))
    if nodes:
        statement = statement.where(among(table.node_id, "nodes"))
    if since:
        statement = statement.where(col(table.at) >= bindparam("since"))
    if not_by:
        own = (col(table.actor_kind) == bindparam("kind")) & (
            func.coalesce(col(table.actor_id), b"") == bindparam("actor")
        )
        statement = statement.where(not_(own))
    return prepared(statement.order_by(col(table.seq)).limit(bindparam("size")))
