"""Texts that people give: trimmed, composed, and no longer than there is room for."""

from typing import Final
from urllib.parse import urlsplit

from crm.access import accounts
from crm.errors import ErrorCode, InputError, Path
from db.values.folding import normal

NAME: Final = 200
WORD: Final = 100
LINE: Final = 500
URL: Final = 2_000
LONG: Final = 10_000
"""The longest texts, in code points."""


def text(given: str | None, path: Path, *, longest: int = NAME) -> str | None:
    """The text as it is kept; None where there is nothing in it. Raises InputError."""
    kept = normal(given or "")
    if "\0" in kept:
        raise InputError(ErrorCode.INVALID, "A text cannot hold the character NUL.", path)
    if len(kept) > longest:
        message = f"There is room for {longest} characters here; this text has {len(kept)}."
        raise InputError(ErrorCode.TOO_LONG, message, path)
    return kept or None


def needed(given: str | None, path: Path, what: str, *, longest: int = NAME) -> str:
    """The same where there must be something in it: `what` is asked for, "a name". Raises InputError BLANK."""
    kept = text(given, path, longest=longest)
    if kept is None:
        raise InputError(ErrorCode.BLANK, f"Give it {what}.", path)
    return kept


def phone(given: str, country: str | None, path: Path) -> str:
    """The number in E.164. Without its country's code it is taken as one of `country`. Raises InputError."""
    from crm.values import (
        phone_numbers,  # Imported late: what is known of all countries' numbers takes its time and room.
    )

    number = phone_numbers.e164(given, country)
    if number is None:
        hint = "give it with its country: +84901234567" if country is None else "check its digits"
        raise InputError(ErrorCode.INVALID, f"“{given}” is not a telephone number; {hint}.", path)
    return number


def email(given: str, path: Path) -> str:
    """The address trimmed and otherwise as typed. Raises InputError."""
    return accounts.email_address(given, path)


def url(given: str | None, path: Path) -> str | None:
    """An address on the web. Raises InputError."""
    kept = text(given, path, longest=URL)
    if kept is None:
        return None
    try:
        parts = urlsplit(kept)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or any(letter.isspace() for letter in kept):
        raise InputError(ErrorCode.INVALID, f"“{kept}” is not a web address; it begins with https://.", path)
    return kept
