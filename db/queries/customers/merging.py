"""Moves the child rows of merged customers to the survivor, and back."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlmodel import SQLModel

from db import tables
from db.engine import Session, Transaction
from db.statements import PreparedStatement, any_of, in_workspace, prepare
from db.tables.column_types import Id

MOVED_TABLES: Final[tuple[Any, ...]] = (tables.Note, tables.Interaction, tables.Order, tables.CustomerAlias)
"""Tables whose rows move to the survivor unchanged."""

OWN_TABLES: Final[tuple[Any, ...]] = (
    tables.CustomerPhone,
    tables.CustomerEmail,
    tables.CustomerExternalId,
    tables.CustomerTag,
    tables.CustomerValue,
    tables.WechatFriend,
    tables.CustomerBlock,
    tables.CustomerSearch,
    tables.SegmentMember,
)
"""Tables whose rows are part of a customer and are deleted with it."""


async def move(transaction: Transaction, table: Any, ids: Sequence[bytes], to: bytes) -> None:
    """Assigns the rows of `table` of these customers to `to`."""
    await transaction.execute(_move(table, "customer_id"), ids=ids, to=to)


async def move_rows(transaction: Transaction, table: Any, ids: Sequence[bytes], to: bytes) -> None:
    """Assigns these rows of `table` to `to`."""
    if ids:
        await transaction.execute(_move(table, "id"), ids=ids, to=to)


async def owned_rows(session: Session, table: Any, ids: Sequence[bytes]) -> list[Any]:
    """The complete rows of `table` of these customers."""
    return await session.fetch_all(_owned(table), ids=ids)


async def related_rows(session: Session, table: Any, ids: Sequence[bytes]) -> list[Any]:
    """`id` and `customer_id` of the rows of `table` of these customers."""
    return await session.fetch_all(_hanging(table), ids=ids)


async def existing_ids(session: Session, table: Any, ids: Sequence[bytes]) -> set[bytes]:
    """The ids among these that `table` contains."""
    return {row.id for row in await session.fetch_all(_there(table), ids=ids)} if ids else set()


@cache
def _move(table: Any, key: str) -> PreparedStatement[Any]:
    return prepare(
        update(table)
        .where(in_workspace(table), any_of(getattr(table, key), "ids"))
        .values(customer_id=bindparam("to", type_=Id))
    )


@cache
def _owned(table: type[SQLModel]) -> PreparedStatement[Any]:
    return prepare(select(table).where(in_workspace(table), any_of(table.customer_id, "ids")))  # type: ignore[attr-defined] # each has one


@cache
def _hanging(table: Any) -> PreparedStatement[Any]:
    return prepare(select(table.id, table.customer_id).where(in_workspace(table), any_of(table.customer_id, "ids")))


@cache
def _there(table: Any) -> PreparedStatement[Any]:
    return prepare(select(table.id).where(in_workspace(table), any_of(table.id, "ids")))
