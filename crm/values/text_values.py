"""Texts that people give: trimmed, composed, and no longer than there is room for."""

from typing import Final
from urllib.parse import urlsplit

from crm.access import accounts
from crm.errors import ErrorCode, InputError, Path
from db.values.folding import normalize

MAX_NAME_LENGTH: Final = 200
MAX_WORD_LENGTH: Final = 100
MAX_LINE_LENGTH: Final = 500
MAX_URL_LENGTH: Final = 2_000
MAX_TEXT_LENGTH: Final = 10_000
"""The longest texts, in code points."""


def read_text(given: str | None, path: Path, *, longest: int = MAX_NAME_LENGTH) -> str | None:
    """The text as it is kept; None where there is nothing in it. Raises InputError."""
    kept = normalize(given or "")
    if "\0" in kept:
        raise InputError(ErrorCode.INVALID, "A text cannot hold the character NUL.", path)
    if len(kept) > longest:
        message = f"There is room for {longest} characters here; this text has {len(kept)}."
        raise InputError(ErrorCode.TOO_LONG, message, path)
    return kept or None


def read_required_text(given: str | None, path: Path, what: str, *, longest: int = MAX_NAME_LENGTH) -> str:
    """The same where there must be something in it: `what` is asked for, "a name". Raises InputError BLANK."""
    kept = read_text(given, path, longest=longest)
    if kept is None:
        raise InputError(ErrorCode.BLANK, f"Give it {what}.", path)
    return kept


def read_phone(given: str, country: str | None, path: Path) -> str:
    """The number in E.164. Without its country's code it is taken as one of `country`. Raises InputError."""
    from crm.values import (
        phone_numbers,  # Imported late: what is known of all countries' numbers takes its time and room.
    )

    number = phone_numbers.to_e164(given, country)
    if number is None:
        hint = "give it with its country: +84901234567" if country is None else "check its digits"
        raise InputError(ErrorCode.INVALID, f"“{given}” is not a telephone number; {hint}.", path)
    return number


def read_email(given: str, path: Path) -> str:
    """The address trimmed and otherwise as typed. Raises InputError."""
    return accounts.email_address(given, path)


def read_url(given: str | None, path: Path) -> str | None:
    """An address on the web. Raises InputError."""
    kept = read_text(given, path, longest=MAX_URL_LENGTH)
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
