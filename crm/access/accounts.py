"""Accounts: signing in and out, and finding the viewer of a token. A session lasts SESSION_LIFETIME_MS and is not
extended by use."""

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
from crm.errors import ErrorCode, InputError, LimitError, Path, counted
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
from db.values.time_units import MS_PER_DAY, MS_PER_MINUTE

SESSION_LIFETIME_MS: Final = 30 * MS_PER_DAY
"""Duration of a session in milliseconds: thirty days."""

MAX_SIGN_IN_FAILURES: Final = 5
SIGN_IN_FAILURE_WINDOW_MS: Final = 15 * 60 * 1000
"""After MAX_SIGN_IN_FAILURES failures within this time, sign-in for the account or network is locked until the oldest
failure is out of the window."""

SIGN_IN_ATTEMPT_TIMEOUT_MS: Final = 10_000
"""Milliseconds after which an attempt without a result counts as failed, because its process is gone."""

VIEWER_CACHE_MS: Final = 1_000
"""Milliseconds for which a viewer is cached without asking the database."""

MAX_CACHED_VIEWERS: Final = 10_000
LAST_USED_INTERVAL_MS: Final = MS_PER_MINUTE
"""Minimum interval in milliseconds between two updates of a key's last use."""

_PAUSE_SECONDS: Final = 0.05
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of a sign-in. `expires_at` is in milliseconds."""

    token: str
    expires_at: int
    viewer: Viewer
    replayed: bool = False


def email_address(text: str, path: Path) -> str:
    """The trimmed address, otherwise as typed. Raises InputError if it is not a valid email address."""
    address = normalize(text)
    if not address:
        raise InputError(ErrorCode.BLANK, "Enter an email address.", path)
    reason = email_addresses.email_error(address)
    if reason is not None:
        raise InputError(ErrorCode.INVALID, f"“{address}” is not an email address: {reason}", path)
    return address


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def sign_in(
    database: Database, *, email: str, password: str, address: str | None, now: int, once: IdempotentCall | None = None
) -> SignedIn:
    """Opens a session.

    `address` is the caller's network address; None if it does not identify the caller. `once` is claimed after the
    password was verified, so that it repeats sessions but not errors. Raises InputError, with the same message and
    delay for an unknown email address and a wrong password; LimitError after MAX_SIGN_IN_FAILURES within
    SIGN_IN_FAILURE_WINDOW_MS; InputError AGENT_INACTIVE if the credentials are right but the agent is deactivated."""
    key = email_key(email)
    attempts = await _admit_attempt(database, _failure_keys(key, address), now)
    account = await accounts.by_email(database.session(None), key)
    is_correct = await passwords.verify_password(account.password_hash if account else None, password)
    if account is None or not is_correct:
        await database.write(None, lambda transaction: _record_failure(transaction, attempts, now))
        message = "The email address or the password is wrong; check both and try again."
        raise InputError(ErrorCode.INVALID, message, ("password",))
    viewer = await _viewer_of_agent(database, account.workspace_id, account.id)
    new_hash = await passwords.hash_password(password) if passwords.needs_rehash(account.password_hash or "") else None
    complete = partial(_complete_sign_in, attempts=attempts, account=account, viewer=viewer, rehashed=new_hash)
    result = await database.write(account.workspace_id, partial(complete, now=now, once=once))
    if isinstance(result, InputError):
        raise result
    return result


async def sign_out(unit: UnitOfWork, token: str | None) -> bool:
    """Ends the session: at once in this process, within VIEWER_CACHE_MS in all others. False for an API key or if no
    session was open."""
    parts = tokens.parse_token(token or "")
    if parts is None or parts.prefix != "ses":
        return False
    unit.after_commit.append(lambda: unit.transaction.database.component(_CachedViewers).drop(token or ""))
    return await accounts.end_session(unit.transaction, parts.identifier, parts.secret_hash, at=unit.now)


async def issue_session_token(database: Database, *, email: str, now: int) -> str:
    """The token of a new session for callers with database access; it needs no password. Raises InputError
    NOT_FOUND."""
    account = await accounts.by_email(database.session(None), email_key(email))
    if account is None:
        raise InputError(ErrorCode.NOT_FOUND, f"No account has the email address “{email}”.", ("email",))
    token, _ = await database.write(
        None, lambda transaction: open_session(transaction, account.workspace_id, account.id, now)
    )
    return token


async def open_session(transaction: Transaction, workspace_id: int, agent_id: bytes, now: int) -> tuple[str, int]:
    """Opens a session; returns its token and expiry time. Deletes the agent's old sessions."""
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


def _failure_keys(key: str, address: str | None) -> list[str]:
    """The keys that failures are counted by. The account key is a hash, because people sometimes type a password into
    the email field."""
    account = "account " + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return [account] if address is None else [account, "network " + _network(address)]


def _network(address: str) -> str:
    """The IPv4 address, or the /64 network of an IPv6 address, which usually belongs to one subscriber."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))


async def _admit_attempt(database: Database, subjects: Sequence[str], now: int) -> list[bytes]:
    """Records the attempt and returns the ids of its rows. Waits while pending attempts could fill the limit by
    failing. Raises LimitError."""
    started_at = time.monotonic()
    while True:
        time_of_attempt = now + int((time.monotonic() - started_at) * 1000)
        if attempts := await database.write(None, partial(_record_attempt, subjects, time_of_attempt)):
            return attempts
        await asyncio.sleep(random.uniform(_PAUSE_SECONDS, 2 * _PAUSE_SECONDS))


async def _record_attempt(subjects: Sequence[str], now: int, transaction: Transaction) -> list[bytes]:
    """Records the attempt as a future failure before the password is verified: `at` is the time at which an attempt
    without a result counts as failed. Returns an empty list, without recording, if pending attempts fill the limit."""
    await accounts.lock_names(transaction, subjects)
    # Rows with a later time were written before the clock was set back; those attempts are not pending.
    attempts = await accounts.sign_in_attempts(
        transaction, subjects, since=now - SIGN_IN_FAILURE_WINDOW_MS, until=now + SIGN_IN_ATTEMPT_TIMEOUT_MS
    )
    for subject in subjects:
        failed_times = sorted(attempt.at for attempt in attempts if attempt.subject == subject and attempt.at <= now)
        if len(failed_times) >= MAX_SIGN_IN_FAILURES:
            raise _too_many_failures_error(
                len(failed_times), failed_times[-MAX_SIGN_IN_FAILURES] + SIGN_IN_FAILURE_WINDOW_MS - now
            )
    if any(sum(attempt.subject == subject for attempt in attempts) >= MAX_SIGN_IN_FAILURES for subject in subjects):
        return []
    rows = [
        tables.SignInFailure(id=ids.id_at(now), subject=subject, at=now + SIGN_IN_ATTEMPT_TIMEOUT_MS)
        for subject in subjects
    ]
    await transaction.insert(*rows)
    return [row.id for row in rows]


def _too_many_failures_error(failure_count: int, wait_ms: int) -> LimitError:
    minutes = math.ceil(wait_ms / MS_PER_MINUTE)
    message = f"Too many sign-ins failed; try again in {counted(minutes, 'minute')}."
    return LimitError(message, limit=MAX_SIGN_IN_FAILURES, current=failure_count + 1)


async def _record_failure(transaction: Transaction, attempts: Sequence[bytes], now: int) -> None:
    await accounts.record_failures(transaction, attempts, at=now)
    await accounts.delete_old_failures(transaction, before=now - SIGN_IN_FAILURE_WINDOW_MS - SIGN_IN_ATTEMPT_TIMEOUT_MS)


async def _complete_sign_in(
    transaction: Transaction,
    *,
    attempts: Sequence[bytes],
    account: tables.Account,
    viewer: Viewer | None,
    rehashed: str | None,
    now: int,
    once: IdempotentCall | None,
) -> SignedIn | InputError:
    """Completes a sign-in with the right password. The attempt is withdrawn even if an error is returned here, because
    the password was right."""
    await accounts.delete_attempts(transaction, attempts)
    if rehashed:
        await accounts.store_password_hash(transaction, account.id, rehashed)
    if viewer is None:
        message = "Your account is deactivated; ask an administrator of your workspace to activate it."
        return InputError(ErrorCode.AGENT_INACTIVE, message, ("email",))
    try:
        return await _open_or_replay(transaction, viewer, now, once)
    except InputError as error:
        return error


async def _open_or_replay(transaction: Transaction, viewer: Viewer, now: int, once: IdempotentCall | None) -> SignedIn:
    if once and (earlier := await idempotency.claim_key(transaction, viewer.caller, once, now)) is not None:
        token = idempotency.unseal(earlier["token"], once.key)
        return SignedIn(token, earlier["expires_at"], viewer, replayed=True)
    token, expires_at = await open_session(transaction, viewer.workspace_id, viewer.actor_id, now)
    if once:
        answer = {"token": idempotency.seal(token, once.key), "expires_at": expires_at}
        await idempotency.store_answer(transaction, viewer.caller, once, answer)
    return SignedIn(token, expires_at, viewer)


# ── viewers of tokens ─────────────────────────────────────────────────────────────────────────────────────────────────


async def viewer_of_token(
    database: Database, token: str, *, clock: Callable[[], int] = ids.current_time
) -> Viewer | None:
    """The viewer of the token; None if it is unknown, expired, ended or revoked, or if its agent is not active.

    The result may be up to VIEWER_CACHE_MS old. `forget_viewers` clears the cache of this process after a change."""
    now, cache = clock(), database.component(_CachedViewers)
    if cached := cache.get(token, now):
        return cached
    parts = tokens.parse_token(token)
    if parts is None:
        return None
    changes_before = cache.changes
    result = await (_viewer_of_session if parts.prefix == "ses" else _viewer_of_key)(database, parts, now)
    if result is None:
        return None
    viewer, valid_until = result
    if cache.changes == changes_before:
        cache.store(token, viewer, until=min(valid_until, now + VIEWER_CACHE_MS))
    return viewer


async def viewer_of_actor(
    database: Database, workspace_id: int, kind: ActorKind, actor_id: bytes | None, now: int
) -> Viewer | None:
    """The actor of a background job as a viewer with their current permissions; None if they may no longer do
    anything."""
    if kind is ActorKind.SYSTEM:
        return Viewer(workspace_id, kind, actor_id or b"", frozenset(Permission))
    if actor_id is None:
        return None
    if kind is ActorKind.AGENT:
        return await _viewer_of_agent(database, workspace_id, actor_id)
    key = await accounts.key_by_id(database.session(None), actor_id)
    is_ended = key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)
    if key is None or is_ended or key.workspace_id != workspace_id:
        return None
    return Viewer(workspace_id, kind, actor_id, frozenset(map(Permission, key.permissions)))


def forget_viewers(database: Database, workspace_id: int) -> None:
    """Clears the cached viewers of the workspace. Call it after a commit that changed an agent, their departments or an
    API key."""
    database.component(_CachedViewers).forget(workspace_id)


async def finish_background_writes(database: Database) -> None:
    """Waits for writes that outlive their requests. Call it before closing the database."""
    while tasks := database.component(_BackgroundWrites):
        await asyncio.gather(*tasks)


class _CachedViewers:
    """Recently found viewers by token, the oldest first."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Viewer, int]] = {}
        # Counts the changes: a viewer read before a change must not be cached after it.
        self.changes = 0

    def get(self, token: str, now: int) -> Viewer | None:
        entry = self._entries.get(token)
        return entry[0] if entry and now < entry[1] else None

    def store(self, token: str, viewer: Viewer, *, until: int) -> None:
        self._entries.pop(token, None)
        self._entries[token] = (viewer, until)
        if len(self._entries) > MAX_CACHED_VIEWERS:
            del self._entries[next(iter(self._entries))]

    def drop(self, token: str) -> None:
        self.changes += 1
        self._entries.pop(token, None)

    def forget(self, workspace_id: int) -> None:
        self.changes += 1
        for token in [token for token, (viewer, _) in self._entries.items() if viewer.workspace_id == workspace_id]:
            del self._entries[token]


class _BackgroundWrites(set[asyncio.Task[None]]):
    """Writes that outlive the request that caused them. The set prevents the garbage collection of the tasks."""


async def _viewer_of_session(database: Database, parts: TokenParts, now: int) -> tuple[Viewer, int] | None:
    session = await accounts.session_by_id(database.session(None), parts.identifier)
    if session is None or not hmac.compare_digest(session.secret_hash, parts.secret_hash):
        return None
    if session.ended_at is not None or session.expires_at <= now:
        return None
    viewer = await _viewer_of_agent(database, session.workspace_id, session.agent_id)
    return (viewer, session.expires_at) if viewer else None


async def _viewer_of_agent(database: Database, workspace_id: int, agent_id: bytes) -> Viewer | None:
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


async def _viewer_of_key(database: Database, parts: TokenParts, now: int) -> tuple[Viewer, int] | None:
    key = await accounts.key_by_id(database.session(None), parts.identifier)
    if key is None or not hmac.compare_digest(key.secret_hash, parts.secret_hash):
        return None
    expires_at = now + VIEWER_CACHE_MS if key.expires_at is None else key.expires_at
    if key.revoked_at is not None or expires_at <= now:
        return None
    if key.last_used_at is None or key.last_used_at <= now - LAST_USED_INTERVAL_MS:
        _write_in_background(database, _mark_key_used(database, key.id, now))
    viewer = Viewer(
        workspace_id=key.workspace_id,
        actor_kind=ActorKind.API_KEY,
        actor_id=key.id,
        permissions=frozenset(map(Permission, key.permissions)),
    )
    return viewer, expires_at


def _write_in_background(database: Database, write: Coroutine[Any, Any, None]) -> None:
    """Runs the write in the background."""
    tasks = database.component(_BackgroundWrites)
    task = asyncio.create_task(write)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _mark_key_used(database: Database, key_id: bytes, now: int) -> None:
    try:
        await database.write(
            None,
            lambda transaction: accounts.mark_key_used(transaction, key_id, at=now, before=now - LAST_USED_INTERVAL_MS),
        )
    except StorageError as error:
        _log.warning("the last use of an API key was not stored: %s", error)
