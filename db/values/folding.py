"""Folded text: the form for search, sort and case-insensitive uniqueness, equal on every database."""

import re
import unicodedata
from functools import lru_cache

# Letters that NFKD does not decompose although people type them without stroke or ligature.
_STROKES = str.maketrans({"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)


# Longer texts rarely occur twice.
_SHORT = 40


def fold(text: str) -> str:
    """The text without case, accents, strokes and repeated white space (đ = d, ß = ss, Ł = l)."""
    return _remembered(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(kept.casefold().translate(_STROKES).casefold().split())


_remembered = lru_cache(maxsize=20_000)(_folded)


def fold_case(text: str) -> str:
    """The text without case and repeated white space; accents stay. Two names with the same result look equal to a
    reader."""
    return " ".join(normalize(normalize(text).casefold()).split())


def email_key(text: str) -> str:
    """The common form of two spellings of one e-mail address, for lookups, filters and sorts."""
    return fold(text)


def digits_of(text: str) -> str:
    """The ASCII digits of a phone number in any notation."""
    return _NOT_DIGITS.sub("", text)


def normalize(text: str) -> str:
    """Composed (NFC) and trimmed: the form that is stored, counted and compared for equality."""
    return unicodedata.normalize("NFC", text).strip()
