"""Workbooks that grow in pieces: the smallest structure that spreadsheets open, with a sheet that can be continued.

The sheet is the last part of the archive. Its pieces are compressed separately, so any process can add the next one if
it knows the length of the file and the checksum of the sheet. The archive's directory ends the file."""

import html
import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import IO, Any, Final

from crm.files import cells

MAX_SHEET_ROWS: Final = 1_048_575
"""Maximum number of rows of a sheet without its header."""

_XML_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SPREADSHEET_NAMESPACE: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONSHIP_NAMESPACE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_NAMESPACE: Final = "http://schemas.openxmlformats.org/package/2006"
_CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE_NAMESPACE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_CONTENT_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE_NAMESPACE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONSHIP_NAMESPACE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET_NAMESPACE}" xmlns:r="{_RELATIONSHIP_NAMESPACE}"><sheets>'
    '<sheet name="Customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE_NAMESPACE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONSHIP_NAMESPACE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATIONSHIP_NAMESPACE}/styles" Target="styles.xml"/></Relationships>',
    # The second style is "text": spreadsheets keep edited phone numbers as typed.
    "xl/styles.xml": f'<styleSheet xmlns="{_SPREADSHEET_NAMESPACE}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_SHEET: Final = "xl/worksheets/sheet1.xml"
_COMPRESSION_LEVEL: Final = 3


@cache
def _fixed_parts() -> tuple[bytes, Sequence[zipfile.ZipInfo]]:
    """The bytes before the sheet and the directory entries for them, which are always the same."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
        for name, part in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), _XML_DECLARATION + part, zipfile.ZIP_DEFLATED)
        length = archive.start_dir
    return buffer.getvalue()[:length], archive.filelist


def begin_workbook(headers: Sequence[str]) -> tuple[bytes, dict[str, int]]:
    """The bytes that start a workbook, and the state of its sheet."""
    front, _ = _fixed_parts()
    piece, sheet = _compress(
        f'{_XML_DECLARATION}<worksheet xmlns="{_SPREADSHEET_NAMESPACE}"><sheetData>'
        + encode_rows([[header] for header in headers]),
        {"crc": 0, "raw": 0},
    )
    return front + _entry({"crc": 0, "raw": 0}, 0).FileHeader(zip64=True) + piece, sheet


def append_rows(columns: Sequence[Sequence[str | None]], sheet: Mapping[str, int]) -> tuple[bytes, dict[str, int]]:
    """The bytes of further rows, and the new state of the sheet."""
    return _compress(encode_rows(columns), sheet)


def end_workbook(file: IO[bytes], sheet: Mapping[str, int]) -> None:
    """Completes a workbook. The file contains exactly the bytes of `begin_workbook` and `append_rows` and is open at
    its end."""
    piece, sheet = _compress("</sheetData></worksheet>", sheet, zlib.Z_FINISH)
    file.write(piece)
    front, entries = _fixed_parts()
    length = file.tell()
    blank_header = _entry({"crc": 0, "raw": 0}, 0).FileHeader(zip64=True)
    entry = _entry(sheet, length - len(front) - len(blank_header))
    with zipfile.ZipFile(file, "w") as archive:
        for file_entry in (*entries, entry):
            archive.filelist.append(file_entry)
            archive.NameToInfo[file_entry.filename] = file_entry
    file.seek(len(front))
    file.write(entry.FileHeader(zip64=True))


def _entry(sheet: Mapping[str, int], packed: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(_SHEET)
    entry.compress_type, entry.header_offset = zipfile.ZIP_DEFLATED, len(_fixed_parts()[0])
    entry.CRC, entry.file_size, entry.compress_size = sheet["crc"], sheet["raw"], packed
    return entry


def _compress(text: str, sheet: Mapping[str, int], flush: int = zlib.Z_FULL_FLUSH) -> tuple[bytes, dict[str, int]]:
    data = text.encode()
    packer: Any = zlib.compressobj(_COMPRESSION_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(data) + packer.flush(flush)
    return piece, {"crc": zlib.crc32(data, sheet["crc"]), "raw": sheet["raw"] + len(data)}


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ESCAPE_PATTERN: Final = re.compile(f"[&<>]|{cells.UNWRITABLE}")
_CELL_START: Final = '<c s="1" t="inlineStr"><is><t>'
_CELL_START_WITH_SPACES: Final = '<c s="1" t="inlineStr"><is><t xml:space="preserve">'
_CELL_END: Final = "</t></is></c>"


def encode_rows(columns: Sequence[Sequence[str | None]]) -> str:
    """The rows as sheet markup. Every cell is a text, so no cell becomes a formula and no digit is lost."""
    rendered = [_column(column) for column in columns]
    return "".join([f"<row>{''.join(row)}</row>" for row in zip(*rendered, strict=True)])


def _column(column: Sequence[str | None]) -> list[str]:
    if _ESCAPE_PATTERN.search("\n".join(filter(None, column))):
        column = [html.escape(cells.escape(cell), quote=False) if cell else cell for cell in column]
    return [
        (
            f"{_CELL_START}{cell}{_CELL_END}"
            if cell[0] > " " and cell[-1] > " "
            else f"{_CELL_START_WITH_SPACES}{cell}{_CELL_END}"
        )
        if cell
        else "<c/>"
        for cell in column
    ]
