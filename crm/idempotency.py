"""Idempotency keys: a call with a used key is not executed again for a day; its earlier answer is returned."""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from crm.errors import ErrorCode, InputError
from db.engine import Transaction
from db.queries import idempotency
from db.values.time_units import MS_PER_DAY

ANSWER_LIFETIME_MS: Final = MS_PER_DAY
"""Milliseconds for which an answer is stored."""


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """A call with an idempotency key: the mutation and the digest of its arguments."""

    key: str
    mutation: str
    arguments: bytes


def digest_arguments(arguments: bytes, key: str) -> bytes:
    """The digest by which arguments are compared. It is keyed, because arguments may contain a password that could
    otherwise be guessed from it."""
    return hmac.digest(_bytes(key), arguments, "sha256")


async def claim_key(transaction: Transaction, caller: bytes, once: IdempotentCall, now: int) -> Any:
    """Claims the key: None if this call is to be executed, else the answer of the earlier call. Waits for a concurrent
    call with the same key. Raises InputError IDEMPOTENCY_KEY_REUSED."""
    key = _hash_key(once.key)
    await idempotency.delete_expired_key(transaction, caller, key, before=now - ANSWER_LIFETIME_MS)
    if await idempotency.insert_claim(transaction, caller, key, once.mutation, once.arguments, at=now):
        return None
    earlier = await idempotency.by_key(transaction, caller, key)
    assert earlier is not None
    if (earlier.mutation, bytes(earlier.arguments)) != (once.mutation, once.arguments):
        message = f"The idempotency key “{once.key}” was already used for another call; use a new key for every call."
        raise InputError(ErrorCode.IDEMPOTENCY_KEY_REUSED, message)
    return earlier.answer


async def store_answer(transaction: Transaction, caller: bytes, once: IdempotentCall, answer: Any) -> None:
    """Stores the answer in the same transaction as the changes."""
    await idempotency.store_answer(transaction, caller, _hash_key(once.key), answer)


def seal(text: str, key: str) -> str:
    """Encrypts the text with the key. Secrets in answers can be returned again without being stored in plain text."""
    nonce = secrets.token_bytes(16)
    return (nonce + _xor_with_keystream(text.encode(), nonce, key)).hex()


def unseal(text: str, key: str) -> str:
    """Decrypts a text that `seal` encrypted with the key."""
    sealed = bytes.fromhex(text)
    return _xor_with_keystream(sealed[16:], sealed[:16], key).decode()


def _xor_with_keystream(data: bytes, nonce: bytes, key: str) -> bytes:
    """XORs the data with HMAC-SHA256 of the nonce and a counter. Every nonce is used once."""
    blocks = (
        hmac.digest(_bytes(key), nonce + counter.to_bytes(4), "sha256") for counter in range((len(data) + 31) // 32)
    )
    return bytes(byte ^ mask for byte, mask in zip(data, b"".join(blocks), strict=False))


def _hash_key(key: str) -> str:
    """Hashes the key, so that readers of the database cannot repeat the call."""
    return sha256(_bytes(key)).hexdigest()


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
