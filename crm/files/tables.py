"""A file as a table: its headers and its rows, whatever it is written in."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from crm.files import cells, csv_reader, jsonl, xlsx_reader
from crm.files.errors import Unreadable
from db.tables.enums import FileFormat

MAX_COLUMNS: Final = 500

_OTHERS: Final = {
    b"\xd0\xcf\x11\xe0": "This is a workbook of the old kind, or one with a password: save it as .xlsx or as CSV.",
    b"%PDF": "This is no table: save it as .xlsx or as CSV and send that.",
    b"<": "This is a web page or XML, whatever its name says: open it and save it as .xlsx or as CSV.",
    b"[{": "This is one JSON list: write its objects a line each.",
    b"\x1f\x8b": "This is packed: unpack it and send what is inside.",
}
"""How files begin that are none to import, and what to do about them."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was looked at. `encoding` and `separator` are those of a CSV."""

    format: FileFormat
    headers: list[str]
    records: Callable[[], Iterator[list[str]]]
    encoding: str = "utf-8"
    separator: str = ","

    def rows(self, skip: int = 0) -> Iterator[list[str]]:
        """The rows that hold something, as texts; one may be shorter or longer than the headers. The first `skip` are
        left out. Close it to let go of the file. Raises Unreadable."""
        with closing(self.records()) as found:  # type: ignore[type-var] # a generator
            yield from islice(found, skip, None)


def open_table(path: Path, format: FileFormat | None = None) -> Table:
    """Reads no more of the file than tells what it is. Raises Unreadable."""
    found = _format(path) if format is None else format
    if found is FileFormat.XLSX:
        return _workbook(path)
    if found is FileFormat.JSONL:
        headers = jsonl.headers_of(path, MAX_COLUMNS)
        return Table(found, _named(headers), lambda: (jsonl.row_of(one, headers) for one in jsonl.read_objects(path)))
    return _delimited(path)


def _format(path: Path) -> FileFormat:
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK"):
        return FileFormat.XLSX
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, message in _OTHERS.items():
        if text.startswith(beginning):
            raise Unreadable(message)
    return FileFormat.JSONL if text[:1] == b"{" else FileFormat.CSV


def _workbook(path: Path) -> Table:
    def read() -> Iterator[list[str]]:
        with closing(xlsx_reader.read_records(path)) as found:  # type: ignore[type-var] # a generator
            next(found, None)
            yield from found

    with closing(xlsx_reader.read_records(path)) as found:  # type: ignore[type-var] # as above
        return Table(FileFormat.XLSX, _named(next(found, [])), read)


def _delimited(path: Path) -> Table:
    encoding = csv_reader.detect_encoding(path)
    separator = csv_reader.detect_separator(path, encoding)

    def read() -> Iterator[list[str]]:
        with closing(csv_reader.read_records(path, encoding, separator)) as found:  # type: ignore[type-var] # a generator
            next(found, None)
            for row in found:
                yield [cells.restore_formula(cell) for cell in row]

    with closing(csv_reader.read_records(path, encoding, separator)) as found:  # type: ignore[type-var] # as above
        headers = [cells.restore_formula(cell) for cell in next(found, [])]
    return Table(FileFormat.CSV, _named(headers), read, encoding, separator)


def _named(headers: list[str]) -> list[str]:
    """Each column's own name: those without one are numbered, and so is the second of a name. Raises Unreadable."""
    if not headers:
        raise Unreadable("The file is empty: its first row has to name the columns.")
    if len(headers) > MAX_COLUMNS:
        raise Unreadable(f"The file has {len(headers)} columns; {MAX_COLUMNS} are the most.")
    found: dict[str, None] = {}
    for place, header in enumerate(headers, 1):
        name = header.strip() or f"Column {place}"
        number, free = 2, name
        while free in found:
            free, number = f"{name} ({number})", number + 1
        found[free] = None
    return list(found)
