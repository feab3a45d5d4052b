"""Reads CSV in any common encoding and with any common separator, line by line."""

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
"""Maximum number of characters of one record and of bytes of one line."""

SEPARATORS: Final = (",", ";", "\t", "|")

_PIECE_BYTES: Final = 1 << 20
_SAMPLE_SIZE: Final = 1 << 16
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(path: Path) -> str:
    """The encoding by byte order mark; else UTF-8 if the whole file is valid; else Windows-1258 if the text looks
    Vietnamese; else Windows-1252. Raises Unreadable for binary files."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE_SIZE)
        for mark, name in _BYTE_ORDER_MARKS:
            if start.startswith(mark):
                return name
        if b"\0" in start:
            return _detect_utf16(start)
        file.seek(0)
        if _is_utf8(file):
            return "utf-8"
        return VIETNAMESE_LETTERS if _is_vietnamese(start) else "cp1252"


def _detect_utf16(start: bytes) -> str:
    """Detects UTF-16 without a mark. In mostly Latin text, every second byte is NUL, always on the same side."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > len(start) // 3 and not even:
        return "utf-16-le"
    if even > len(start) // 3 and not odd:
        return "utf-16-be"
    raise Unreadable("This file is not text; save the table as CSV or XLSX and send that.")


def _is_utf8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(_PIECE_BYTES):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _is_vietnamese(start: bytes) -> bool:
    """Windows-1258 encodes tones as separate characters, which always follow a vowel. It has ă đ ơ ư at positions that
    Western European text rarely uses for letters."""
    text = start.decode(VIETNAMESE_LETTERS, "replace")
    tones = [index for index, letter in enumerate(text) if letter in _VIETNAMESE_TONES]
    after_vowel = sum(text[index - 1 : index].casefold() in _VIETNAMESE_VOWELS for index in tones if index)
    return (
        len(tones) > 1
        and after_vowel >= 0.95 * len(tones)
        and any(letter in _VIETNAMESE_ONLY_LETTERS for letter in text)
    )


VIETNAMESE_LETTERS: Final = "cp1258"
_VIETNAMESE_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
_VIETNAMESE_VOWELS: Final = frozenset("aăâeêioôơuưy")
_VIETNAMESE_ONLY_LETTERS: Final = frozenset("ăđơưĂĐƠƯ")


def detect_separator(path: Path, encoding: str) -> str:
    """The separator that gives the first records the same number of cells, and the largest number."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(_SAMPLE_SIZE)
    if (header := sample[:6].lower()).startswith("sep=") and header[4:5] in SEPARATORS:
        return header[4]
    # Only row ends are line ends here: a cell may contain other line, page or paragraph separators.
    lines = list(io.StringIO(sample, newline=""))
    if len(sample) == _SAMPLE_SIZE and len(lines) > 1:
        lines = lines[:-1]
    return max(SEPARATORS, key=lambda separator: _separator_score(lines, separator))


def _separator_score(lines: list[str], separator: str) -> tuple[float, int]:
    try:
        widths = [len(row) for _, row in zip(range(30), csv.reader(lines, delimiter=separator), strict=False) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def read_records(path: Path, encoding: str, separator: str) -> Iterator[list[str]]:
    """Every non-empty record, including the header. Raises Unreadable."""
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
                raise _unclosed_cell_error(reader.line_num) from None


def _unclosed_cell_error(line: int) -> Unreadable:
    return Unreadable(f"A cell near line {line} has no end; check its quotes.")


def _names_separator(row: list[str], separator: str) -> bool:
    """Whether the row is Excel's `sep=;` line."""
    return row == ["sep=", ""] or (len(row) == 1 and row[0].lower() == f"sep={separator}")


class _Lines:
    """The lines of a file. Limits the length of lines and records, and requires that the last record is complete."""

    def __init__(self, file: IO[str], *, composed: bool) -> None:
        """`composed`: combines separate letters and tones into one character."""
        self._file = file
        self._composed = composed
        self._record_line = self._line = 0
        self.length = 0
        """Characters since the last complete record."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_RECORD_CHARACTERS + 1)
        if not line:
            if self.length:
                raise _unclosed_cell_error(self._record_line)
            raise StopIteration
        self._line += 1
        if not self.length:
            self._record_line = self._line
        self.length += len(line)
        if self.length > MAX_RECORD_CHARACTERS:
            raise Unreadable(f"A row is longer than {MAX_RECORD_CHARACTERS} characters; check its quotes.")
        if self._composed:
            line = unicodedata.normalize("NFC", line)
        return line.replace("\0", "") if "\0" in line else line
