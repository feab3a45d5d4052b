"""Workspaces: the directory, the settings and the change counter."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, exists, func, update
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.statements import in_workspace, prepare

_LAST = prepare(select(func.max(col(tables.Directory.workspace_id)).label("last")))
_COUNTED = prepare(
    update(tables.Counter)
    .where(in_workspace(tables.Counter))
    .values(change=col(tables.Counter.change) + bindparam("more"))
    .returning(col(tables.Counter.change))
)
_DIRECTORY = prepare(select(tables.Directory).where(col(tables.Directory.id) == bindparam("public_id")))
_OTHERS = prepare(
    select(tables.Directory.workspace_id).where(tables.Directory.workspace_id != bindparam("workspace_id")).limit(1)
)
# Includes whether any assignment rule is active, so that writers need not query the rules if there are none.
_SETTINGS = prepare(
    select(
        exists().where(in_workspace(tables.AssignmentRule), col(tables.AssignmentRule.active).is_(True)).label("ruled"),
        tables.Workspace,
    ).where(in_workspace(tables.Workspace)),
    reads=tables.Workspace,
)
_LOCKED = prepare(select(tables.Workspace).where(in_workspace(tables.Workspace)).with_for_update())


async def last_change_number(session: Session) -> int:
    """The highest number of a workspace; 0 if there is none."""
    found = await session.fetch_first(_LAST)
    return (found.last if found else None) or 0


async def by_public_id(session: Session, public_id: bytes) -> tables.Directory | None:
    """The directory entry of a public id, with the workspace's number."""
    return await session.fetch_first(_DIRECTORY, public_id=public_id)


async def is_only_workspace(session: Session) -> bool:
    """Whether the database had no other workspace a moment ago."""
    return not await session.fetch_cached(_OTHERS)


async def workspace_settings(session: Session) -> tables.Workspace | None:
    """The settings of the session's workspace."""
    return await session.fetch_first(_SETTINGS)


async def time_zone(session: Session) -> ZoneInfo:
    """The time zone of the workspace."""
    found = await session.fetch_cached(_SETTINGS)
    return ZoneInfo(found[0].timezone if found else "UTC")


async def lock_settings(transaction: Transaction) -> tables.Workspace:
    """The settings, locked until the end of the transaction."""
    found: tables.Workspace = (await transaction.fetch_all(_LOCKED))[0]
    return found


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Workspace]:
    """The session's workspace if its id is among these; all others are unknown."""
    found = await workspace_settings(session)
    return {found.id: found} if found is not None and found.id in ids else {}


async def take_change_numbers(transaction: Transaction, count: int) -> int:
    """Takes the next `count` numbers of the change log and returns the first. The last statement but one of a
    transaction: other writers of the workspace wait from here to its end."""
    found = await transaction.fetch_first(_COUNTED, more=count)
    if found is None:
        raise LookupError(f"workspace {transaction.workspace_id} has no counter")
    return int(found.change) - count + 1
