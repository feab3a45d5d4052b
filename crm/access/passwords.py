"""Passwords: argon2id in two dedicated threads, so that sign-ins do not block other requests."""

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
"""Password lengths in code points of the composed form (NFC)."""

# 19 MiB, two passes, parallelism 1: OWASP's first choice for argon2id.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Verified for unknown accounts, so that they take the same time. It is the hash of a discarded random password.
UNKNOWN_ACCOUNT_HASH: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$bVQi3XcYz9aq2uKAlQe00g$oC/cZDGk7+UaCgJJ64dn7yMXKs1d98BfW+lBy/psFA0"
)

_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="password")


def check_password(password: str, path: Path) -> None:
    """Raises InputError if a new password is too short or too long."""
    length = len(unicodedata.normalize("NFC", password))
    if length < MIN_PASSWORD_LENGTH:
        message = f"A password needs at least {MIN_PASSWORD_LENGTH} characters; this one has {length}."
        raise InputError(ErrorCode.INVALID if length else ErrorCode.BLANK, message, path)
    if length > MAX_PASSWORD_LENGTH:
        message = f"A password can have at most {MAX_PASSWORD_LENGTH} characters; this one has {length}."
        raise InputError(ErrorCode.TOO_LONG, message, path)


async def hash_password(password: str) -> str:
    """The hash to store for the password."""
    return await _in_thread(lambda: _HASHER.hash(_bytes(password)))


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password matches the hash. Without a hash the result is False after the same time."""
    is_correct = await _in_thread(lambda: _verify(stored or UNKNOWN_ACCOUNT_HASH, password))
    return is_correct and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was created with parameters other than the current ones."""
    return _HASHER.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """Composes the text, because keyboards send accented letters in different forms."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


async def _in_thread(call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, call)
