"""Writes rows to a file in any format. The file grows in pieces, and any process can continue it."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from crm.files import cells, xlsx_writer
from crm.files.errors import Unreadable
from db.tables.enums import FileFormat

Cell = str | int | float | bool | list[str] | None
"""The value of a cell: a text, a JSON value if the format supports it, or several texts."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def file_suffix(format: FileFormat) -> str:
    """The suffix of a file name."""
    return f".{format.name.lower()}"


def cell_text(cell: Cell) -> str:
    """The cell as text."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cells.join_values(cell) if isinstance(cell, list) else str(cell)


def column_texts(column: Sequence[Cell]) -> Sequence[str | None]:
    """The cells of a column as texts; None is the empty cell."""
    kinds = set(map(type, column))
    if kinds <= _TEXT_TYPES:
        return column  # type: ignore[return-value] # as was just seen
    if kinds == _LIST_TYPES:
        return [cells.join_values(cell) if cell else None for cell in column]  # type: ignore[arg-type] # likewise
    return [cell_text(cell) for cell in column]


_TEXT_TYPES: Final = frozenset({str, type(None)})
_LIST_TYPES: Final = frozenset({list})


def csv_lines(columns: Sequence[Sequence[Cell]], separator: str = ",") -> bytes:
    """Encodes rows as CSV (RFC 4180) in UTF-8. Spreadsheets do not execute any of the cells as a formula."""
    rendered = [
        _quoted([cell or "" for cell in cells.defuse_formulas(column_texts(column))], separator) for column in columns
    ]
    if len(rendered) == 1:
        # A row with a single empty cell must not become an empty line.
        rendered = [[cell or '""' for cell in rendered[0]]]
    lines = "\r\n".join(map(separator.join, zip(*rendered, strict=True)))
    return f"{lines}\r\n".encode("utf-8", "replace") if rendered and rendered[0] else b""


def _quoted(column: Sequence[str], separator: str) -> Sequence[str]:
    """Quotes the cells that contain a separator, a quote or a line break. Most columns contain none."""
    text = "".join(column)
    special = [character for character in (separator, '"', "\r", "\n") if character in text]
    if not special:
        return column
    return [
        f'"{cell.replace(_QUOTE, _DOUBLED_QUOTE)}"' if any(character in cell for character in special) else cell
        for cell in column
    ]


_QUOTE: Final = '"'
_DOUBLED_QUOTE: Final = '""'


def jsonl_lines(headers: Sequence[str], columns: Sequence[Sequence[Cell]]) -> bytes:
    """Encodes rows as JSON, one object per line."""
    dumps, line = orjson.dumps, orjson.OPT_APPEND_NEWLINE
    return b"".join([dumps(dict(zip(headers, row, strict=True)), None, line) for row in zip(*columns, strict=True)])


class RowWriter:
    """A file that grows in pieces. A writer with the `state` of an earlier writer continues its file. Bytes after that
    state were never committed and are overwritten."""

    def __init__(
        self,
        path: Path,
        format: FileFormat,
        headers: Sequence[str],
        *,
        separator: str = ",",
        bom: bool = False,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """`bom`: a CSV file starts with a byte order mark, from which spreadsheets detect the encoding."""
        self._path = path
        self._format = format
        self._headers = headers
        self._separator = separator
        self._bom = bom
        self.state: dict[str, Any] = dict(state or {})
        if not self.state:
            self._append(self._begin())

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Adds rows; each has as many cells as there are headers."""
        self.add(list(zip(*rows, strict=True)))

    def add(self, columns: Sequence[Sequence[Cell]]) -> None:
        """Adds rows that are given as columns."""
        if columns and columns[0]:
            self._append(self._piece(columns))

    def close(self) -> None:
        """Completes the file. A repeated call from the same state produces the same file."""
        with self._open() as file:
            if self._format is FileFormat.XLSX:
                xlsx_writer.end_workbook(file, self.state["sheet"])

    def _begin(self) -> bytes:
        if self._format is FileFormat.XLSX:
            piece, self.state["sheet"] = xlsx_writer.begin_workbook(self._headers)
            return piece
        if self._format is FileFormat.JSONL:
            return b""
        header_line = csv_lines([[header] for header in self._headers], self._separator)
        return _BYTE_ORDER_MARK + header_line if self._bom else header_line

    def _piece(self, columns: Sequence[Sequence[Cell]]) -> bytes:
        if self._format is FileFormat.CSV:
            return csv_lines(columns, self._separator)
        if self._format is FileFormat.JSONL:
            return jsonl_lines(self._headers, columns)
        piece, self.state["sheet"] = xlsx_writer.append_rows(
            [column_texts(column) for column in columns], self.state["sheet"]
        )
        return piece

    def _append(self, piece: bytes) -> None:
        with self._open() as file:
            file.write(piece)
            self.state["bytes"] = file.tell()

    def _open(self) -> Any:
        length = self.state.get("bytes", 0)
        file = self._path.open("r+b" if length else "w+b")
        if file.seek(0, io.SEEK_END) < length:
            file.close()
            raise Unreadable("The file has lost data that was already written to it.")
        file.seek(length)
        file.truncate()
        return file
