"""A file as a table: its headers and rows, independent of the file format."""

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

_UNSUPPORTED_STARTS: Final = {
    b"\xd0\xcf\x11\xe0": "This is a workbook in the old format or with a password; save it as .xlsx or as CSV.",
    b"%PDF": "This file is not a table; save it as .xlsx or as CSV and send that.",
    b"<": "This is a web page or XML, whatever its name says; open it and save it as .xlsx or as CSV.",
    b"[{": "This is a single JSON list; write one object per line.",
    b"\x1f\x8b": "This file is compressed; unpack it and send the file inside.",
}
"""How unsupported files start, and what their sender can do."""


@dataclass(frozen=True, slots=True)
class Table:
    """An opened file. `encoding` and `separator` are set for CSV."""

    format: FileFormat
    headers: list[str]
    records: Callable[[], Iterator[list[str]]]
    encoding: str = "utf-8"
    separator: str = ","

    def rows(self, skip: int = 0) -> Iterator[list[str]]:
        """The non-empty rows as texts. A row may be shorter or longer than the headers. Leaves out the first `skip`
        rows. Closing the iterator closes the file. Raises Unreadable."""
        with closing(self.records()) as records:  # type: ignore[type-var] # a generator
            yield from islice(records, skip, None)


def open_table(path: Path, format: FileFormat | None = None) -> Table:
    """Opens a file and reads only enough to determine its format and headers. Raises Unreadable."""
    file_format = _detect_format(path) if format is None else format
    if file_format is FileFormat.XLSX:
        return _open_workbook(path)
    if file_format is FileFormat.JSONL:
        headers = jsonl.headers_of(path, MAX_COLUMNS)
        return Table(
            file_format,
            _unique_names(headers),
            lambda: (jsonl.row_of(data, headers) for data in jsonl.read_objects(path)),
        )
    return _open_csv(path)


def _detect_format(path: Path) -> FileFormat:
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK"):
        return FileFormat.XLSX
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, message in _UNSUPPORTED_STARTS.items():
        if text.startswith(beginning):
            raise Unreadable(message)
    return FileFormat.JSONL if text[:1] == b"{" else FileFormat.CSV


def _open_workbook(path: Path) -> Table:
    def read() -> Iterator[list[str]]:
        with closing(xlsx_reader.read_records(path)) as records:  # type: ignore[type-var] # a generator
            next(records, None)
            yield from records

    with closing(xlsx_reader.read_records(path)) as records:  # type: ignore[type-var] # as above
        return Table(FileFormat.XLSX, _unique_names(next(records, [])), read)


def _open_csv(path: Path) -> Table:
    encoding = csv_reader.detect_encoding(path)
    separator = csv_reader.detect_separator(path, encoding)

    def read() -> Iterator[list[str]]:
        with closing(csv_reader.read_records(path, encoding, separator)) as records:  # type: ignore[type-var] # a generator
            next(records, None)
            for row in records:
                yield [cells.restore_formula(cell) for cell in row]

    with closing(csv_reader.read_records(path, encoding, separator)) as records:  # type: ignore[type-var] # as above
        headers = [cells.restore_formula(cell) for cell in next(records, [])]
    return Table(FileFormat.CSV, _unique_names(headers), read, encoding, separator)


def _unique_names(headers: list[str]) -> list[str]:
    """Gives each column a unique name: columns without a name and repeated names get a number. Raises Unreadable."""
    if not headers:
        raise Unreadable("The file is empty; its first row has to name the columns.")
    if len(headers) > MAX_COLUMNS:
        raise Unreadable(f"The file has {len(headers)} columns, but at most {MAX_COLUMNS} are allowed.")
    names: dict[str, None] = {}
    for position, header in enumerate(headers, 1):
        name = header.strip() or f"Column {position}"
        number, unique_name = 2, name
        while unique_name in names:
            unique_name, number = f"{name} ({number})", number + 1
        names[unique_name] = None
    return list(names)
