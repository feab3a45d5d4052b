"""Writing rows to a file, of any format, that grows by pieces and is gone on with by whichever process comes next."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from crm.files import cells, xlsx_writer
from crm.files.errors import Unreadable
from db.tables.enums import FileFormat

Cell = str | int | float | bool | list[str] | None
"""What a column holds: a text, a JSON value where the format has them, several texts."""

_MARK: Final = b"\xef\xbb\xbf"


def file_suffix(format: FileFormat) -> str:
    """Of the file's name."""
    return f".{format.name.lower()}"


def cell_text(cell: Cell) -> str:
    """The cell where there are only texts."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cells.join_values(cell) if isinstance(cell, list) else str(cell)


def column_texts(column: Sequence[Cell]) -> Sequence[str | None]:
    """The cells of a column where there are only texts; None is the empty one."""
    kinds = set(map(type, column))
    if kinds <= _PLAIN:
        return column  # type: ignore[return-value] # as was just seen
    if kinds == _LISTS:
        return [cells.join_values(cell) if cell else None for cell in column]  # type: ignore[arg-type] # likewise
    return [cell_text(cell) for cell in column]


_PLAIN: Final = frozenset({str, type(None)})
_LISTS: Final = frozenset({list})


def csv_lines(columns: Sequence[Sequence[Cell]], separator: str = ",") -> bytes:
    """Rows as CSV (RFC 4180) in UTF-8, with no cell that a spreadsheet would run."""
    shown = [
        _quoted([cell or "" for cell in cells.defuse_formulas(column_texts(column))], separator) for column in columns
    ]
    if len(shown) == 1:
        # A row of one empty cell is no empty line.
        shown = [[cell or '""' for cell in shown[0]]]
    written = "\r\n".join(map(separator.join, zip(*shown, strict=True)))
    return f"{written}\r\n".encode("utf-8", "replace") if shown and shown[0] else b""


def _quoted(column: Sequence[str], separator: str) -> Sequence[str]:
    """Cells that hold what separates cells and rows are put in quotes; of most columns no cell does."""
    together = "".join(column)
    special = [one for one in (separator, '"', "\r", "\n") if one in together]
    if not special:
        return column
    return [f'"{cell.replace(_QUOTE, _TWICE)}"' if any(one in cell for one in special) else cell for cell in column]


_QUOTE: Final = '"'
_TWICE: Final = '""'


def jsonl_lines(headers: Sequence[str], columns: Sequence[Sequence[Cell]]) -> bytes:
    """Rows as JSON, an object a line."""
    dumps, line = orjson.dumps, orjson.OPT_APPEND_NEWLINE
    return b"".join([dumps(dict(zip(headers, row, strict=True)), None, line) for row in zip(*columns, strict=True)])


class RowWriter:
    """A file that grows by pieces. Whoever knows the `state` that it was left in goes on with it; what lies beyond that
    was never counted, and is written over."""

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
        """`bom`: CSV begins with the mark that tells spreadsheets its encoding."""
        self._path = path
        self._format = format
        self._headers = headers
        self._separator = separator
        self._bom = bom
        self.state: dict[str, Any] = dict(state or {})
        if not self.state:
            self._append(self._begin())

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Adds rows, all of the headers' length."""
        self.add(list(zip(*rows, strict=True)))

    def add(self, columns: Sequence[Sequence[Cell]]) -> None:
        """Adds rows that are given column by column."""
        if columns and columns[0]:
            self._append(self._piece(columns))

    def close(self) -> None:
        """Completes the file; done again from the same state, it is the same."""
        with self._open() as file:
            if self._format is FileFormat.XLSX:
                xlsx_writer.end_workbook(file, self.state["sheet"])

    def _begin(self) -> bytes:
        if self._format is FileFormat.XLSX:
            piece, self.state["sheet"] = xlsx_writer.begin_workbook(self._headers)
            return piece
        if self._format is FileFormat.JSONL:
            return b""
        header = csv_lines([[one] for one in self._headers], self._separator)
        return _MARK + header if self._bom else header

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
            raise Unreadable("The file lost a part of what was written to it.")
        file.seek(length)
        file.truncate()
        return file
