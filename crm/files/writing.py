"""Writing rows to a file: CSV and JSONL as they come, XLSX as the shortest workbook that spreadsheets open."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape as escape_markup

import orjson

from crm.files import cells
from db.tables.enums import FileFormat

Cell = str | int | float | bool | list[str] | None
"""What a column holds: a text, a JSON value where the format has them, several texts."""

MOST_ROWS: Final = 1_048_575
"""Of a sheet, without its header."""


def suffix(format: FileFormat) -> str:
    """Of the file's name."""
    return f".{format.name.lower()}"


def text(cell: Cell) -> str:
    """The cell where there are only texts."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cells.join(cell) if isinstance(cell, list) else str(cell)


def delimited(rows: Iterable[Sequence[Cell]], separator: str = ",") -> bytes:
    """The rows as CSV (RFC 4180) in UTF-8, with no cell that a spreadsheet would run."""
    written = io.StringIO(newline="")
    defuse = cells.defuse
    csv.writer(written, delimiter=separator).writerows([defuse(text(cell)) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8", "replace")


def lines(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The rows as JSON, an object a line."""
    return b"".join(orjson.dumps(dict(zip(headers, row, strict=True))) + b"\n" for row in rows)


# ── XLSX ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # The second style is "text", so that a spreadsheet leaves what is typed over a telephone number alone.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


class Workbook:
    """A workbook of one sheet in which every cell is a text: a formula cannot come about, and no digit is lost."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        for name, part in _PARTS.items():
            self._archive.writestr(name, _HEAD + part)
        self._sheet: Any = self._archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        self._sheet.write("".join(_row(row) for row in rows).encode())

    def close(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()


def _row(row: Sequence[Cell]) -> str:
    return f"<row>{''.join([_cell(text(cell)) for cell in row])}</row>"


def _cell(shown: str) -> str:
    if not shown:
        return "<c/>"
    kept = escape_markup(cells.escape(shown))
    return f'<c s="1" t="inlineStr"><is><t xml:space="preserve">{kept}</t></is></c>'


class Writer:
    """A file of any format that grows by some rows at a time."""

    def __init__(
        self, path: Path, format: FileFormat, headers: Sequence[str], *, separator: str = ",", bom: bool = False
    ) -> None:
        """`bom`: CSV begins with the mark that tells spreadsheets its encoding."""
        self._format = format
        self._headers = headers
        self._separator = separator
        self._book = Workbook(path) if format is FileFormat.XLSX else None
        self._file = None if self._book else path.open("wb")
        if self._book:
            self._book.write([headers])
        elif self._file and format is FileFormat.CSV:
            self._file.write((b"\xef\xbb\xbf" if bom else b"") + delimited([headers], separator))

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        if self._book:
            self._book.write(rows)
        elif self._file:
            csv_ = self._format is FileFormat.CSV
            self._file.write(delimited(rows, self._separator) if csv_ else lines(self._headers, rows))

    def close(self) -> None:
        if self._book:
            self._book.close()
        elif self._file:
            self._file.close()
