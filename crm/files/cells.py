"""Cells: protects texts from being executed by spreadsheets, and puts several values into one cell."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

# A spreadsheet treats a cell with this start as a formula. Leading apostrophes are part of the pattern, so that
# removing one apostrophe always restores the original text.
_FORMULA_START: Final = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_DEFUSED_START: Final = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


_FORMULA_CHARACTERS: Final = frozenset("'=+-@\t\r\n＝＋－＠")


def defuse_formula(text: str) -> str:
    """The text as a CSV cell that spreadsheets display instead of executing. `restore_formula` reverses it."""
    return "'" + text if text[:1] in _FORMULA_CHARACTERS and _FORMULA_START.match(text) else text


def defuse_formulas(column: Sequence[str | None]) -> Sequence[str | None]:
    """Applies `defuse_formula` to a column. Most cells start with a letter or a digit, and nearly all others are phone
    numbers."""
    return [
        ("'" + cell if cell[0] == "+" else defuse_formula(cell)) if cell and cell[0] in _FORMULA_CHARACTERS else cell
        for cell in column
    ]


def restore_formula(text: str) -> str:
    """The original text of a CSV cell."""
    return text[1:] if text[:1] == "'" and _DEFUSED_START.match(text) else text


# ── several values in one cell ────────────────────────────────────────────────────────────────────────────────────────

_PART: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^;]*))(?:;|$)')


def join_values(values: Iterable[str]) -> str:
    """Joins the values with semicolons. `split_values` reverses it."""
    return "; ".join(map(_quoted, values))


def _quoted(value: str) -> str:
    if ";" in value or value[:1] == '"' or value != value.strip():
        return '"' + value.replace('"', '""') + '"'
    return value


def split_values(text: str) -> list[str]:
    """The non-empty values of a cell."""
    if ";" not in text and '"' not in text:
        single_value = text.strip()
        return [single_value] if single_value else []
    values, index = [], 0
    while index < len(text):
        part = _PART.match(text, index)
        assert part is not None
        index = part.end()
        quoted, plain = part.groups()
        value = quoted.replace('""', '"') if quoted is not None else plain.strip()
        if value:
            values.append(value)
    return values


# ── workbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

UNWRITABLE: Final = "[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
"""Pattern of the characters that XML cannot contain."""

_UNWRITABLE_PATTERN: Final = re.compile(UNWRITABLE)
_ESCAPE_PATTERN: Final = re.compile("_x([0-9A-Fa-f]{4})_")


def escape(text: str) -> str:
    """The text with the characters that XML cannot contain escaped as in workbooks: `_x000D_`."""
    return _UNWRITABLE_PATTERN.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def unescape(text: str) -> str:
    return _ESCAPE_PATTERN.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
