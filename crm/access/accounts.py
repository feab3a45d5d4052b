"""Accounts: signing in and out, and who a token lets in. A session lasts SESSION and is not made longer by use."""

import asyncio
import hmac
import ipaddress
import logging
import math
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from crm import idempotency
from crm.access import passwords, permissions, tokens
from crm.access.permissions import Viewer
from crm.access.tokens import TokenParts
from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.idempotency import IdempotentCall
from crm.unit_of_work import UnitOfWork
from crm.values import email_addresses
from db import tables
from db.engine import Database, Transaction
from db.errors import StorageError
from db.queries import accounts
from db.tables.enums import ActorKind, Permission
from db.values import ids
from db.values.folding import email_key, normalize

SESSION_LIFETIME_MS: Final = 30 * 24 * 60 * 60 * 1000
"""How long a session lasts: thirty days."""

MAX_SIGN_IN_FAILURES: Final = 5
SIGN_IN_FAILURE_WINDOW_MS: Final = 15 * 60 * 1000
"""So many failures within it, of one account or from one network, close the door until the oldest has left it."""

SIGN_IN_ATTEMPT_TIMEOUT_MS: Final = 10_000
"""An attempt that has neither failed nor succeeded by then counts as failed: its process is gone."""

VIEWER_CACHE_MS: Final = 1_000
"""For so long a viewer is let in again without asking the database. Milliseconds, like all of the above."""

MAX_CACHED_VIEWERS: Final = 10_000
LAST_USED_INTERVAL_MS: Final = 60_000
"""A key's last use is written down once in so long."""

_PAUSE: Final = 0.05
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`expires_at` in milliseconds."""

    token: str
    expires_at: int
    viewer: Viewer
    replayed: bool = False


def email_address(text: str, path: Path) -> str:
    """The address trimmed and otherwise as it was typed. Raises InputError where nobody could be reached by it."""
    address = normalize(text)
    if not address:
        raise InputError(ErrorCode.BLANK, "Give an e-mail address.", path)
    reason = email_addresses.email_error(address)
    if reason is not None:
        raise InputError(ErrorCode.INVALID, f"“{address}” is not an e-mail address. {reason}", path)
    return address


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def sign_in(
    database: Database, *, email: str, password: str, address: str | None, now: int, once: IdempotentCall | None = None
) -> SignedIn:
    """Opens a session. `address` is the caller's on the network, None where it says nothing about who he is. `once` is
    asked for when he is known, so that it repeats sessions and no refusals.

    Raises InputError, the same and after the same time for an unknown e-mail and for a wrong password; LimitError after
    FAILURES within WINDOW; Refused AGENT_INACTIVE where all is right but the agent was deactivated.
    """
    key = email_key(email)
    attempts = await _admitted(database, _subjects(key, address), now)
    account = await accounts.by_email(database.session(None), key)
    right = await passwords.verify_password(account.password_hash if account else None, password)
    if account is None or not right:
        await database.write(None, lambda transaction: _failed(transaction, attempts, now))
        message = "The e-mail address or the password is wrong. Check both and try again."
        raise InputError(ErrorCode.INVALID, message, ("password",))
    viewer = await _agent(database, account.workspace_id, account.id)
    rehashed = await passwords.hash_password(password) if passwords.needs_rehash(account.password_hash or "") else None
    opening = partial(_succeeded, attempts=attempts, account=account, viewer=viewer, rehashed=rehashed)
    opened = await database.write(account.workspace_id, partial(opening, now=now, once=once))
    if isinstance(opened, InputError):
        raise opened
    return opened


async def sign_out(unit: UnitOfWork, token: str | None) -> bool:
    """Ends the session at once in this process, and before KEPT has passed in every other. False for a key, and where
    there was no session to end."""
    parts = tokens.parse_token(token or "")
    if parts is None or parts.prefix != "ses":
        return False
    unit.after_commit.append(lambda: unit.transaction.database.component(_CachedViewers).drop(token or ""))
    return await accounts.end_session(unit.transaction, parts.identifier, parts.secret_hash, at=unit.now)


async def issue_session_token(database: Database, *, email: str, now: int) -> str:
    """The token of a new session for who can reach the database already: no password. Raises InputError NOT_FOUND."""
    account = await accounts.by_email(database.session(None), email_key(email))
    if account is None:
        raise InputError(ErrorCode.NOT_FOUND, f"Nobody signs in as “{email}”.", ("email",))
    token, _ = await database.write(
        None, lambda transaction: open_session(transaction, account.workspace_id, account.id, now)
    )
    return token


async def open_session(transaction: Transaction, workspace_id: int, agent_id: bytes, now: int) -> tuple[str, int]:
    """A new session: its token, and the moment at which it ends. The agent's old ones are swept away."""
    await accounts.delete_old_sessions(transaction, agent_id, now=now)
    identifier = ids.id_at(now)
    token = tokens.create_token("ses", identifier)
    session = tables.SignIn(
        id=identifier,
        secret_hash=token.secret_hash,
        workspace_id=workspace_id,
        agent_id=agent_id,
        created_at=now,
        expires_at=now + SESSION_LIFETIME_MS,
    )
    await transaction.insert(session)
    return token.text, session.expires_at


def _subjects(key: str, address: str | None) -> list[str]:
    """What failures are counted by. Anything may be typed as an address, even a password: so it is kept as a hash."""
    account = "account " + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return [account] if address is None else [account, "network " + _network(address)]


def _network(address: str) -> str:
    """The address itself, or the /64 of an IPv6 one: a single subscriber has all of that."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))


async def _admitted(database: Database, subjects: Sequence[str], now: int) -> list[bytes]:
    """The ids under which the attempt is counted from now on. While others are under way that would fill the limit if
    they failed, it waits for them to end. Raises LimitError."""
    began = time.monotonic()
    while True:
        moment = now + int((time.monotonic() - began) * 1000)
        if attempts := await database.write(None, partial(_attempt, subjects, moment)):
            return attempts
        await asyncio.sleep(random.uniform(_PAUSE, 2 * _PAUSE))


async def _attempt(subjects: Sequence[str], now: int, transaction: Transaction) -> list[bytes]:
    """Counts the attempt before its password is looked at: `at` is when it will have failed if nobody says otherwise.
    Nothing is counted, and nothing returned, where the attempts under way have to be waited for."""
    await accounts.lock_names(transaction, subjects)
    # One of a later moment was written before the clock was put back; it is not under way.
    counted = await accounts.sign_in_attempts(
        transaction, subjects, since=now - SIGN_IN_FAILURE_WINDOW_MS, until=now + SIGN_IN_ATTEMPT_TIMEOUT_MS
    )
    for subject in subjects:
        failed = sorted(one.at for one in counted if one.subject == subject and one.at <= now)
        if len(failed) >= MAX_SIGN_IN_FAILURES:
            raise _too_many(len(failed), failed[-MAX_SIGN_IN_FAILURES] + SIGN_IN_FAILURE_WINDOW_MS - now)
    if any(sum(one.subject == subject for one in counted) >= MAX_SIGN_IN_FAILURES for subject in subjects):
        return []
    rows = [
        tables.SignInFailure(id=ids.id_at(now), subject=subject, at=now + SIGN_IN_ATTEMPT_TIMEOUT_MS)
        for subject in subjects
    ]
    await transaction.insert(*rows)
    return [row.id for row in rows]


def _too_many(failures: int, wait: int) -> LimitError:
    minutes = math.ceil(wait / 60_000)
    message = f"Too many sign-ins failed. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    return LimitError(message, limit=MAX_SIGN_IN_FAILURES, current=failures + 1)


async def _failed(transaction: Transaction, attempts: Sequence[bytes], now: int) -> None:
    await accounts.record_failures(transaction, attempts, at=now)
    await accounts.delete_old_failures(transaction, before=now - SIGN_IN_FAILURE_WINDOW_MS - SIGN_IN_ATTEMPT_TIMEOUT_MS)


async def _succeeded(
    transaction: Transaction,
    *,
    attempts: Sequence[bytes],
    account: tables.Account,
    viewer: Viewer | None,
    rehashed: str | None,
    now: int,
    once: IdempotentCall | None,
) -> SignedIn | InputError:
    """What is refused here was no failure, so the attempt is withdrawn all the same."""
    await accounts.delete_attempts(transaction, attempts)
    if rehashed:
        await accounts.store_password_hash(transaction, account.id, rehashed)
    if viewer is None:
        message = "Your account was deactivated. Ask an administrator of your workspace to activate it."
        return InputError(ErrorCode.AGENT_INACTIVE, message, ("email",))
    try:
        return await _opened(transaction, viewer, now, once)
    except InputError as refused:
        return refused


async def _opened(transaction: Transaction, viewer: Viewer, now: int, once: IdempotentCall | None) -> SignedIn:
    if once and (earlier := await idempotency.claim_key(transaction, viewer.caller, once, now)) is not None:
        token = idempotency.unseal(earlier["token"], once.key)
        return SignedIn(token, earlier["expires_at"], viewer, replayed=True)
    token, expires_at = await open_session(transaction, viewer.workspace_id, viewer.actor_id, now)
    if once:
        answer = {"token": idempotency.seal(token, once.key), "expires_at": expires_at}
        await idempotency.store_answer(transaction, viewer.caller, once, answer)
    return SignedIn(token, expires_at, viewer)


# ── who a token lets in ───────────────────────────────────────────────────────────────────────────────────────────────


async def viewer_of_token(
    database: Database, token: str, *, clock: Callable[[], int] = ids.current_time
) -> Viewer | None:
    """Who sends the token; None where it is unknown, expired, ended or revoked, or its agent is not active.

    What it answers may be KEPT old. In the process that makes a change, `forget` ends that at once.
    """
    now, seen = clock(), database.component(_CachedViewers)
    if kept := seen.at(token, now):
        return kept
    parts = tokens.parse_token(token)
    if parts is None:
        return None
    began = seen.changes
    found = await (_of_session if parts.prefix == "ses" else _of_key)(database, parts, now)
    if found is None:
        return None
    who, until = found
    if seen.changes == began:
        seen.keep(token, who, until=min(until, now + VIEWER_CACHE_MS))
    return who


async def viewer_of_actor(
    database: Database, workspace_id: int, kind: ActorKind, actor_id: bytes | None, now: int
) -> Viewer | None:
    """Whoever began something that goes on without him, with what he may do now; None where he may do nothing more."""
    if kind is ActorKind.SYSTEM:
        return Viewer(workspace_id, kind, actor_id or b"", frozenset(Permission))
    if actor_id is None:
        return None
    if kind is ActorKind.AGENT:
        return await _agent(database, workspace_id, actor_id)
    key = await accounts.key_by_id(database.session(None), actor_id)
    ended = key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)
    if key is None or ended or key.workspace_id != workspace_id:
        return None
    return Viewer(workspace_id, kind, actor_id, frozenset(map(Permission, key.permissions)))


def forget_viewers(database: Database, workspace_id: int) -> None:
    """Call it after a commit that changed an agent, his departments or a key of the workspace."""
    database.component(_CachedViewers).forget(workspace_id)


async def finish_background_writes(database: Database) -> None:
    """Waits for the writes that run after their requests. Call it before the database is closed."""
    while tasks := database.component(_BackgroundWrites):
        await asyncio.gather(*tasks)


class _CachedViewers:
    """The viewers whom this process let in a moment ago, by their tokens, the oldest first."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Viewer, int]] = {}
        # A viewer read before a change must not be kept after it.
        self.changes = 0

    def at(self, token: str, now: int) -> Viewer | None:
        found = self._kept.get(token)
        return found[0] if found and now < found[1] else None

    def keep(self, token: str, who: Viewer, *, until: int) -> None:
        self._kept.pop(token, None)
        self._kept[token] = (who, until)
        if len(self._kept) > MAX_CACHED_VIEWERS:
            del self._kept[next(iter(self._kept))]

    def drop(self, token: str) -> None:
        self.changes += 1
        self._kept.pop(token, None)

    def forget(self, workspace_id: int) -> None:
        self.changes += 1
        for token in [token for token, (who, _) in self._kept.items() if who.workspace_id == workspace_id]:
            del self._kept[token]


class _BackgroundWrites(set[asyncio.Task[None]]):
    """Writes that run after the request that caused them. The set keeps the tasks from being collected."""


async def _of_session(database: Database, parts: TokenParts, now: int) -> tuple[Viewer, int] | None:
    session = await accounts.session_by_id(database.session(None), parts.identifier)
    if session is None or not hmac.compare_digest(session.secret_hash, parts.secret_hash):
        return None
    if session.ended_at is not None or session.expires_at <= now:
        return None
    who = await _agent(database, session.workspace_id, session.agent_id)
    return (who, session.expires_at) if who else None


async def _agent(database: Database, workspace_id: int, agent_id: bytes) -> Viewer | None:
    standing = await accounts.agent_standing(database.session(workspace_id), agent_id)
    if standing is None or not standing.active:
        return None
    return Viewer(
        workspace_id=workspace_id,
        actor_kind=ActorKind.AGENT,
        actor_id=agent_id,
        permissions=permissions.effective_permissions(
            standing.role, granted=standing.granted, revoked=standing.revoked
        ),
        department_ids=standing.department_ids,
    )


async def _of_key(database: Database, parts: TokenParts, now: int) -> tuple[Viewer, int] | None:
    key = await accounts.key_by_id(database.session(None), parts.identifier)
    if key is None or not hmac.compare_digest(key.secret_hash, parts.secret_hash):
        return None
    expires_at = now + VIEWER_CACHE_MS if key.expires_at is None else key.expires_at
    if key.revoked_at is not None or expires_at <= now:
        return None
    if key.last_used_at is None or key.last_used_at <= now - LAST_USED_INTERVAL_MS:
        _write_behind(database, _used(database, key.id, now))
    who = Viewer(
        workspace_id=key.workspace_id,
        actor_kind=ActorKind.API_KEY,
        actor_id=key.id,
        permissions=frozenset(map(Permission, key.permissions)),
    )
    return who, expires_at


def _write_behind(database: Database, writing: Coroutine[Any, Any, None]) -> None:
    """The loop alone would not keep the task from being collected."""
    tasks = database.component(_BackgroundWrites)
    task = asyncio.create_task(writing)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _used(database: Database, key_id: bytes, now: int) -> None:
    try:
        await database.write(
            None,
            lambda transaction: accounts.mark_key_used(transaction, key_id, at=now, before=now - LAST_USED_INTERVAL_MS),
        )
    except StorageError as error:
        _log.warning("the last use of a key was not written down: %s", error)
