"""Reading CSV: whatever its encoding and separator, a line at a time."""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final

from crm.files.errors import Unreadable

MAX_RECORD_CHARACTERS: Final = 1_000_000
"""Characters of one record, and bytes of one line."""

SEPARATORS: Final = (",", ";", "\t", "|")

_PIECE: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(path: Path) -> str:
    """By its mark; else UTF-8 where the whole file is that; else Windows-1258 where it reads as Vietnamese; else
    Windows-1252. Raises Unreadable for bytes."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        if b"\0" in start:
            return _without_mark(start)
        file.seek(0)
        if _is_utf8(file):
            return "utf-8"
        return VIETNAMESE_LETTERS if _is_vietnamese(start) else "cp1252"


def _without_mark(start: bytes) -> str:
    """UTF-16 has a NUL in every other byte, on one side only, as long as most of it is Latin."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > len(start) // 3 and not even:
        return "utf-16-le"
    if even > len(start) // 3 and not odd:
        return "utf-16-be"
    raise Unreadable("This is no text: save the table as CSV or XLSX and send that.")


def _is_utf8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _is_vietnamese(start: bytes) -> bool:
    """The code page of Vietnamese has tones as letters of their own, which always follow a vowel, and ă đ ơ ư where
    languages of the West hardly have any letter."""
    text = start.decode(VIETNAMESE_LETTERS, "replace")
    tones = [place for place, letter in enumerate(text) if letter in _TONES]
    after = sum(text[place - 1 : place].casefold() in _VOWELS for place in tones if place)
    return len(tones) > 1 and after >= 0.95 * len(tones) and any(letter in _LETTERS for letter in text)


VIETNAMESE_LETTERS: Final = "cp1258"
_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
_VOWELS: Final = frozenset("aăâeêioôơuưy")
_LETTERS: Final = frozenset("ăđơưĂĐƠƯ")


def detect_separator(path: Path, encoding: str) -> str:
    """The one that gives the same number of cells, and the most, in the first records."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(_SAMPLE)
    if (named := sample[:6].lower()).startswith("sep=") and named[4:5] in SEPARATORS:
        return named[4]
    # Only what ends a row ends a line: a cell may hold other separators, of lines, pages or paragraphs.
    whole = list(io.StringIO(sample, newline=""))
    if len(sample) == _SAMPLE and len(whole) > 1:
        whole = whole[:-1]
    return max(SEPARATORS, key=lambda one: _fitness(whole, one))


def _fitness(lines: list[str], separator: str) -> tuple[float, int]:
    try:
        widths = [len(row) for _, row in zip(range(30), csv.reader(lines, delimiter=separator), strict=False) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def read_records(path: Path, encoding: str, separator: str) -> Iterator[list[str]]:
    """Every record that holds something, the header as well. Raises Unreadable."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = _Lines(file, composed=encoding == VIETNAMESE_LETTERS)
        reader = csv.reader(lines, delimiter=separator)
        with closing(file):
            try:
                for number, row in enumerate(reader):
                    lines.length = 0
                    if any(row) and not (number == 0 and _names_separator(row, separator)):
                        yield row
            except csv.Error:
                raise _endless(reader.line_num) from None


def _endless(line: int) -> Unreadable:
    return Unreadable(f"A cell near line {line} has no end: check its quotes.")


def _names_separator(row: list[str], separator: str) -> bool:
    """Excel's own first line, `sep=;`."""
    return row == ["sep=", ""] or (len(row) == 1 and row[0].lower() == f"sep={separator}")


class _Lines:
    """The lines of a file, as long as no line and no record grows beyond all bounds, and the last record is whole."""

    def __init__(self, file: IO[str], *, composed: bool) -> None:
        """`composed`: letters and tones that stand apart are put together."""
        self._file = file
        self._composed = composed
        self._begun = self._line = 0
        self.length = 0
        """Characters since the last whole record."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_RECORD_CHARACTERS + 1)
        if not line:
            if self.length:
                raise _endless(self._begun)
            raise StopIteration
        self._line += 1
        if not self.length:
            self._begun = self._line
        self.length += len(line)
        if self.length > MAX_RECORD_CHARACTERS:
            raise Unreadable(f"A row is longer than {MAX_RECORD_CHARACTERS} characters: check its quotes.")
        if self._composed:
            line = unicodedata.normalize("NFC", line)
        return line.replace("\0", "") if "\0" in line else line
