"""Keys of callers: what was done under one is not done again for a day; its answer is repeated."""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from crm.errors import ErrorCode, InputError
from db.engine import Transaction
from db.queries import idempotency

ANSWER_LIFETIME_MS: Final = 24 * 60 * 60 * 1000
"""Milliseconds for which an answer is kept."""


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """A call under a key: what is called, and the digest of its arguments."""

    key: str
    mutation: str
    arguments: bytes


def digest_arguments(asked: bytes, key: str) -> bytes:
    """Of arguments, to tell others by. A password may be among them: who does not know the key cannot try some out."""
    return hmac.digest(_bytes(key), asked, "sha256")


async def claim_key(transaction: Transaction, caller: bytes, once: IdempotentCall, now: int) -> Any:
    """The answer of the call that was done under the key before; None where this one is to be done. A call with the
    same key that is under way is waited for. Raises InputError IDEMPOTENCY_KEY_REUSED."""
    key = _stored(once.key)
    await idempotency.delete_expired_key(transaction, caller, key, before=now - ANSWER_LIFETIME_MS)
    if await idempotency.insert_claim(transaction, caller, key, once.mutation, once.arguments, at=now):
        return None
    earlier = await idempotency.by_key(transaction, caller, key)
    assert earlier is not None
    if (earlier.mutation, bytes(earlier.arguments)) != (once.mutation, once.arguments):
        message = f"The key “{once.key}” was used for another call; give every call a key of its own."
        raise InputError(ErrorCode.IDEMPOTENCY_KEY_REUSED, message)
    return earlier.answer


async def store_answer(transaction: Transaction, caller: bytes, once: IdempotentCall, answer: Any) -> None:
    """The answer, with what was done, in one transaction."""
    await idempotency.store_answer(transaction, caller, _stored(once.key), answer)


def seal(text: str, key: str) -> str:
    """The text so that only who knows the key can read it: secrets are shown again, and not stored."""
    nonce = secrets.token_bytes(16)
    return (nonce + _mixed(text.encode(), nonce, key)).hex()


def unseal(text: str, key: str) -> str:
    """What was sealed under the key."""
    held = bytes.fromhex(text)
    return _mixed(held[16:], held[:16], key).decode()


def _mixed(data: bytes, nonce: bytes, key: str) -> bytes:
    """XOR with HMAC-SHA256 of the nonce and a counter; every nonce is used once."""
    blocks = (hmac.digest(_bytes(key), nonce + place.to_bytes(4), "sha256") for place in range((len(data) + 31) // 32))
    return bytes(one ^ other for one, other in zip(data, b"".join(blocks), strict=False))


def _stored(key: str) -> str:
    """Whoever reads the database cannot send the call again."""
    return sha256(_bytes(key)).hexdigest()


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
