"""Stored answers of idempotent mutations."""

from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from db import tables
from db.engine import Transaction
from db.statements import WORKSPACE, in_workspace, prepare

_TABLE = tables.Idempotency
_MINE = (
    in_workspace(_TABLE),
    col(_TABLE.caller_id) == bindparam("caller"),
    col(_TABLE.key) == bindparam("call_key"),
)
_NEW = {
    "workspace_id": WORKSPACE,
    "caller_id": bindparam("caller"),
    "key": bindparam("call_key"),
    "mutation": bindparam("called"),
    "arguments": bindparam("digest"),
    "answer": None,
    "created_at": bindparam("at"),
}
_CLAIM = prepare(
    postgresql.insert(_TABLE).values(_NEW).on_conflict_do_nothing(),
    sqlite=sqlite.insert(_TABLE).values(_NEW).on_conflict_do_nothing(),
)
_BY_KEY = prepare(select(_TABLE).where(*_MINE))
_KEEP = prepare(update(_TABLE).where(*_MINE).values(answer=bindparam("answered")))
_SWEEP = prepare(delete(_TABLE).where(*_MINE, col(_TABLE.created_at) < bindparam("before")))
_SWEEP_ALL = prepare(delete(_TABLE).where(in_workspace(_TABLE), col(_TABLE.created_at) < bindparam("before")))


async def insert_claim(
    transaction: Transaction, caller: bytes, key: str, mutation: str, arguments: bytes, *, at: int
) -> bool:
    """Claims the key. Returns whether it is new. Waits for another transaction that has claimed it."""
    return await transaction.execute(_CLAIM, caller=caller, call_key=key, called=mutation, digest=arguments, at=at) > 0


async def by_key(transaction: Transaction, caller: bytes, key: str) -> tables.Idempotency | None:
    return await transaction.fetch_first(_BY_KEY, caller=caller, call_key=key)


async def store_answer(transaction: Transaction, caller: bytes, key: str, answer: Any) -> None:
    await transaction.execute(_KEEP, caller=caller, call_key=key, answered=answer)


async def delete_expired_key(transaction: Transaction, caller: bytes, key: str, *, before: int) -> None:
    """Deletes the key if it was claimed before that time."""
    await transaction.execute(_SWEEP, caller=caller, call_key=key, before=before)


async def delete_expired(transaction: Transaction, *, before: int) -> int:
    """Deletes the workspace's keys that were claimed before that time."""
    return await transaction.execute(_SWEEP_ALL, before=before)
