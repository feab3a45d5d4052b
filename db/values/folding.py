"""Folded text: what search, sort and case-blind uniqueness compare, the same on every database."""

import re
import unicodedata
from functools import lru_cache

# Letters that NFKD leaves whole although people type them without their stroke or ligature.
_STROKES = str.maketrans({"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)


# Longer texts are seldom met twice.
_SHORT = 40


def fold(text: str) -> str:
    """The text without case, accents, strokes and runs of white space (đ = d, ß = ss, Ł = l)."""
    return _remembered(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(kept.casefold().translate(_STROKES).casefold().split())


_remembered = lru_cache(maxsize=20_000)(_folded)


def fold_case(text: str) -> str:
    """The text without case and runs of white space; its accents stay: by it two names are the same for a reader."""
    return " ".join(normalize(normalize(text).casefold()).split())


def email_key(text: str) -> str:
    """What two spellings of one e-mail address have in common; the same key serves look-ups, filters and sorting."""
    return fold(text)


def digits_of(text: str) -> str:
    """The ASCII digits of a phone number in any notation."""
    return _NOT_DIGITS.sub("", text)


def normalize(text: str) -> str:
    """Composed (NFC) and trimmed: the form in which text is kept, counted and compared for equality."""
    return unicodedata.normalize("NFC", text).strip()
