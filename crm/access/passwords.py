"""Passwords: argon2id in two threads of its own, so that signing in never stops other requests."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.errors import ErrorCode, InputError, Path

T = TypeVar("T")

MIN_PASSWORD_LENGTH: Final = 10
MAX_PASSWORD_LENGTH: Final = 200
"""Both in code points of the composed form (NFC)."""

# 19 MiB, two passes, one lane: OWASP's first choice for argon2id.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# What is verified where there is no hash, so that it takes as long; a random password was thrown away after it.
UNKNOWN_ACCOUNT_HASH: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$bVQi3XcYz9aq2uKAlQe00g$oC/cZDGk7+UaCgJJ64dn7yMXKs1d98BfW+lBy/psFA0"
)

_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="password")


def check_password(password: str, path: Path) -> None:
    """Raises InputError for a password that is too short or too long to be chosen."""
    length = len(unicodedata.normalize("NFC", password))
    if length < MIN_PASSWORD_LENGTH:
        message = f"A password has {MIN_PASSWORD_LENGTH} characters or more; this one has {length}."
        raise InputError(ErrorCode.INVALID if length else ErrorCode.BLANK, message, path)
    if length > MAX_PASSWORD_LENGTH:
        message = f"A password has {MAX_PASSWORD_LENGTH} characters at most; this one has {length}."
        raise InputError(ErrorCode.TOO_LONG, message, path)


async def hash_password(password: str) -> str:
    """What to store for the password."""
    return await _in_thread(lambda: _HASHER.hash(_bytes(password)))


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether it is the password of that hash. Without one it never is, and that takes as long to find out."""
    found = await _in_thread(lambda: _verified(stored or UNKNOWN_ACCOUNT_HASH, password))
    return found and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with parameters that are not today's."""
    return _HASHER.check_needs_rehash(stored)


def _verified(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """Composed, because keyboards differ in how they send an accented letter."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


async def _in_thread(transaction: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, transaction)
