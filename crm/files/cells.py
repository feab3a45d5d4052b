"""Cells: what is done to a text so that no spreadsheet runs it, and several values in one cell."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

# A spreadsheet takes a cell that begins so for a formula. Apostrophes before it count, so that taking one off again
# always gives back what was there.
_DANGEROUS: Final = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_RESTORED: Final = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


_SUSPECT: Final = frozenset("'=+-@\t\r\n＝＋－＠")


def defuse_formula(text: str) -> str:
    """The text as a cell of CSV that is shown and not run; `restore` gives it back."""
    return "'" + text if text[:1] in _SUSPECT and _DANGEROUS.match(text) else text


def defuse_formulas(column: Sequence[str | None]) -> Sequence[str | None]:
    """The same for many; most begin with a letter or a digit, and nearly all others are telephone numbers."""
    return [
        ("'" + cell if cell[0] == "+" else defuse_formula(cell)) if cell and cell[0] in _SUSPECT else cell
        for cell in column
    ]


def restore_formula(text: str) -> str:
    """The text that a cell of CSV stands for."""
    return text[1:] if text[:1] == "'" and _RESTORED.match(text) else text


# ── several values in one cell ────────────────────────────────────────────────────────────────────────────────────────

_PART: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^;]*))(?:;|$)')


def join_values(values: Iterable[str]) -> str:
    """The values between semicolons; `split` gives them back."""
    return "; ".join(map(_quoted, values))


def _quoted(value: str) -> str:
    if ";" in value or value[:1] == '"' or value != value.strip():
        return '"' + value.replace('"', '""') + '"'
    return value


def split_values(text: str) -> list[str]:
    """The values of a cell, without the empty ones."""
    if ";" not in text and '"' not in text:
        only = text.strip()
        return [only] if only else []
    found, place = [], 0
    while place < len(text):
        part = _PART.match(text, place)
        assert part is not None
        place = part.end()
        quoted, plain = part.groups()
        value = quoted.replace('""', '"') if quoted is not None else plain.strip()
        if value:
            found.append(value)
    return found


# ── in a workbook ─────────────────────────────────────────────────────────────────────────────────────────────────────

UNWRITABLE: Final = "[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
"""What XML cannot hold, as a pattern."""

_UNWRITABLE: Final = re.compile(UNWRITABLE)
_WRITTEN: Final = re.compile("_x([0-9A-Fa-f]{4})_")


def escape(text: str) -> str:
    """The text with what XML cannot hold written as workbooks write it: `_x000D_`."""
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescape(text: str) -> str:
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
