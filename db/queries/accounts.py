"""Accounts, sessions, API keys, failed sign-ins and agents' permissions: the data of authentication."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, bindparam, cast, delete, func, literal_column, null, union_all, update
from sqlmodel import col, or_, select

from db import tables
from db.engine import Session, Transaction
from db.statements import any_of, in_workspace, prepare
from db.tables.enums import Role
from db.values import ids

_ACCOUNT = prepare(select(tables.Account).where(col(tables.Account.email_key) == bindparam("email_key")))
_BY_ID = prepare(
    select(tables.Account.id).where(in_workspace(tables.Account), col(tables.Account.id) == bindparam("account_id"))
)
_HASH = prepare(
    update(tables.Account)
    .where(col(tables.Account.id) == bindparam("account_id"))
    .values(password_hash=bindparam("hash"))
)
_SESSION = prepare(select(tables.SignIn).where(col(tables.SignIn.id) == bindparam("session_id")))
_END = prepare(
    update(tables.SignIn)
    .where(
        col(tables.SignIn.id) == bindparam("session_id"),
        col(tables.SignIn.secret_hash) == bindparam("hash"),
        col(tables.SignIn.ended_at).is_(None),
    )
    .values(ended_at=bindparam("at"))
)
_END_ALL = prepare(
    update(tables.SignIn)
    .where(col(tables.SignIn.agent_id) == bindparam("agent_id"), col(tables.SignIn.ended_at).is_(None))
    .values(ended_at=bindparam("at"))
)
_SWEEP_SESSIONS = prepare(
    delete(tables.SignIn).where(
        col(tables.SignIn.agent_id) == bindparam("agent_id"), col(tables.SignIn.expires_at) <= bindparam("now")
    )
)
_KEY = prepare(select(tables.ApiKey).where(col(tables.ApiKey.id) == bindparam("key_id")))
_KEYS = prepare(select(tables.ApiKey).where(in_workspace(tables.ApiKey), any_of(tables.ApiKey.id, "ids")))
_LIVE_KEYS = prepare(
    select(func.count().label("count"))
    .select_from(tables.ApiKey)
    .where(in_workspace(tables.ApiKey), col(tables.ApiKey.revoked_at).is_(None))
)
_ALL_KEYS = prepare(
    select(tables.ApiKey)
    .where(in_workspace(tables.ApiKey))
    .order_by(col(tables.ApiKey.revoked_at).is_not(None), col(tables.ApiKey.id).desc())
    .limit(bindparam("most"))
)
_USED = prepare(
    update(tables.ApiKey)
    .where(
        col(tables.ApiKey.id) == bindparam("key_id"),
        or_(col(tables.ApiKey.last_used_at).is_(None), col(tables.ApiKey.last_used_at) <= bindparam("before")),
    )
    .values(last_used_at=bindparam("at"))
)

# One statement for an agent, the permission exceptions and the departments.
_NOWHERE = cast(null(), LargeBinary).label("department_id")
_STANDING = prepare(
    union_all(
        select(
            literal_column("0").label("part"),
            col(tables.Agent.role).label("code"),
            col(tables.Agent.active).label("flag"),
            _NOWHERE,
        ).where(in_workspace(tables.Agent), col(tables.Agent.id) == bindparam("agent_id")),
        select(
            literal_column("1"),
            col(tables.AgentPermission.permission),
            col(tables.AgentPermission.granted),
            _NOWHERE,
        ).where(in_workspace(tables.AgentPermission), col(tables.AgentPermission.agent_id) == bindparam("agent_id")),
        select(
            literal_column("2"),
            col(tables.AgentDepartment.position),
            literal_column("true"),
            col(tables.AgentDepartment.department_id),
        ).where(in_workspace(tables.AgentDepartment), col(tables.AgentDepartment.agent_id) == bindparam("agent_id")),
    ).order_by(literal_column("part"), literal_column("code"))
)

# SQLite serializes writers anyway.
_TURN = prepare(
    select(
        func.pg_advisory_xact_lock(bindparam("first", type_=BigInteger)).label("one"),
        func.pg_advisory_xact_lock(bindparam("second", type_=BigInteger)).label("other"),
    ),
    sqlite=select(literal_column("0").label("one")),
)
_ATTEMPTS = prepare(
    select(tables.SignInFailure).where(
        any_of(tables.SignInFailure.subject, "subjects"),
        col(tables.SignInFailure.at) > bindparam("since"),
        col(tables.SignInFailure.at) <= bindparam("until"),
    )
)
_FAIL = prepare(
    update(tables.SignInFailure).where(any_of(tables.SignInFailure.id, "attempts")).values(at=bindparam("moment"))
)
_WITHDRAW = prepare(delete(tables.SignInFailure).where(any_of(tables.SignInFailure.id, "attempts")))
_SWEEP_FAILURES = prepare(delete(tables.SignInFailure).where(col(tables.SignInFailure.id) < bindparam("first_kept")))


@dataclass(frozen=True, slots=True)
class AgentStanding:
    """The current state of an agent for authentication. The primary department comes first."""

    active: bool
    role: Role
    granted: tuple[int, ...]
    revoked: tuple[int, ...]
    department_ids: tuple[bytes, ...]


async def by_email(session: Session, email_key: str) -> tables.Account | None:
    return await session.fetch_first(_ACCOUNT, email_key=email_key)


async def email_exists(session: Session, account_id: bytes) -> bool:
    """Whether an account with that id exists. An agent who has never had a password has none."""
    return await session.fetch_first(_BY_ID, account_id=account_id) is not None


async def session_by_id(session: Session, session_id: bytes) -> tables.SignIn | None:
    return await session.fetch_first(_SESSION, session_id=session_id)


async def key_by_id(session: Session, key_id: bytes) -> tables.ApiKey | None:
    return await session.fetch_first(_KEY, key_id=key_id)


async def keys_by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.ApiKey]:
    """The workspace's API keys, including revoked ones."""
    return {row.id: row for row in await session.fetch_all(_KEYS, ids=ids)}


async def live_keys(session: Session) -> int:
    """The number of the workspace's keys that are not revoked, including expired ones."""
    found: int = (await session.fetch_all(_LIVE_KEYS))[0].count
    return found


async def keys(session: Session, *, most: int) -> list[tables.ApiKey]:
    """The workspace's keys, newest first: active keys, then revoked ones."""
    return await session.fetch_all(_ALL_KEYS, most=most)


async def agent_standing(session: Session, agent_id: bytes) -> AgentStanding | None:
    """The state of an agent of the session's workspace, in one statement; None if there is none."""
    rows: list[Any] = await session.fetch_all(_STANDING, agent_id=agent_id)
    if not rows or rows[0].part != 0:
        return None
    return AgentStanding(
        active=rows[0].flag,
        role=Role(rows[0].code),
        granted=tuple(row.code for row in rows if row.part == 1 and row.flag),
        revoked=tuple(row.code for row in rows if row.part == 1 and not row.flag),
        department_ids=tuple(row.department_id for row in rows if row.part == 2),
    )


async def store_password_hash(transaction: Transaction, account_id: bytes, password_hash: str) -> None:
    await transaction.execute(_HASH, account_id=account_id, hash=password_hash)


async def end_session(transaction: Transaction, session_id: bytes, secret_hash: bytes, *, at: int) -> bool:
    """Ends a session. Returns whether it was open."""
    return await transaction.execute(_END, session_id=session_id, hash=secret_hash, at=at) > 0


async def end_sessions(transaction: Transaction, agent_id: bytes, *, at: int) -> None:
    """Ends every session of the agent."""
    await transaction.execute(_END_ALL, agent_id=agent_id, at=at)


async def delete_old_sessions(transaction: Transaction, agent_id: bytes, *, now: int) -> None:
    """Deletes the agent's expired sessions."""
    await transaction.execute(_SWEEP_SESSIONS, agent_id=agent_id, now=now)


async def mark_key_used(transaction: Transaction, key_id: bytes, *, at: int, before: int) -> None:
    """Stores the time of use unless a time after `before` is already stored."""
    await transaction.execute(_USED, key_id=key_id, at=at, before=before)


async def lock_names(transaction: Transaction, subjects: Sequence[str]) -> None:
    """Locks up to two names until the end of the transaction."""
    locks = sorted(int.from_bytes(sha256(subject.encode()).digest()[:8], signed=True) for subject in subjects)
    await transaction.fetch_all(_TURN, first=locks[0], second=locks[-1])


async def sign_in_attempts(
    session: Session, subjects: Sequence[str], *, since: int, until: int
) -> Sequence[tables.SignInFailure]:
    """The attempts that count after `since` and up to `until`."""
    return await session.fetch_all(_ATTEMPTS, subjects=subjects, since=since, until=until)


async def record_failures(transaction: Transaction, attempts: Sequence[bytes], *, at: int) -> None:
    """Marks the attempts as failed."""
    await transaction.execute(_FAIL, attempts=attempts, moment=at)


async def delete_attempts(transaction: Transaction, attempts: Sequence[bytes]) -> None:
    """Deletes the attempts: the password was correct."""
    await transaction.execute(_WITHDRAW, attempts=attempts)


async def delete_old_failures(transaction: Transaction, *, before: int) -> None:
    """Deletes the attempts that started before that time, by their ids."""
    await transaction.execute(_SWEEP_FAILURES, first_kept=ids.id_at(before, bytes(10)))
