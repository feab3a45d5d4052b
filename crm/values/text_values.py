"""Reads texts from input: trims and composes them and checks their length."""

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
"""Maximum lengths of texts in code points."""


def read_text(value: str | None, path: Path, *, max_length: int = MAX_NAME_LENGTH) -> str | None:
    """The text to store; None if it is empty. Raises InputError."""
    text = normalize(value or "")
    if "\0" in text:
        raise InputError(ErrorCode.INVALID, "A text cannot contain the character NUL.", path)
    if len(text) > max_length:
        message = f"This text has {len(text)} characters, but at most {max_length} are allowed."
        raise InputError(ErrorCode.TOO_LONG, message, path)
    return text or None


def read_required_text(value: str | None, path: Path, what: str, *, max_length: int = MAX_NAME_LENGTH) -> str:
    """The text to store. Raises InputError BLANK for an empty text; `what` names the value in the message, such as "a
    name"."""
    text = read_text(value, path, max_length=max_length)
    if text is None:
        raise InputError(ErrorCode.BLANK, f"Enter {what}.", path)
    return text


def read_phone(phone: str, country: str | None, path: Path) -> str:
    """The number in E.164. A number without a country code belongs to `country`. Raises InputError."""
    from crm.values import (
        phone_numbers,  # Imported late: the metadata of all countries takes time and memory to load.
    )

    number = phone_numbers.to_e164(phone, country)
    if number is None:
        hint = "enter it with its country code, such as +84901234567" if country is None else "check its digits"
        raise InputError(ErrorCode.INVALID, f"“{phone}” is not a phone number; {hint}.", path)
    return number


def read_email(address: str, path: Path) -> str:
    """The trimmed address, otherwise as typed. Raises InputError."""
    return accounts.email_address(address, path)


def read_url(value: str | None, path: Path) -> str | None:
    """The web address. Raises InputError."""
    text = read_text(value, path, max_length=MAX_URL_LENGTH)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_valid = False
    if not is_valid or any(letter.isspace() for letter in text):
        raise InputError(
            ErrorCode.INVALID, f"“{text}” is not a web address; it must start with https:// or http://.", path
        )
    return text
