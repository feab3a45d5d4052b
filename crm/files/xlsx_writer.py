"""Workbooks that grow by pieces: the shortest that spreadsheets open, with a sheet that can be gone on with.

The sheet is the archive's last part and lies in it as pieces that are packed each for itself, so that the next one can
be added by any process that knows how long the file is and what the sheet came to. The archive's directory ends it.
"""

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
"""Of a sheet, without its header."""

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
_SHEET: Final = "xl/worksheets/sheet1.xml"
_LEVEL: Final = 3


@cache
def _front() -> tuple[bytes, Sequence[zipfile.ZipInfo]]:
    """What stands before the sheet, and the directory's entries for it: always the same."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, part in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), _HEAD + part, zipfile.ZIP_DEFLATED)
        length = archive.start_dir
    return written.getvalue()[:length], archive.filelist


def begin_workbook(headers: Sequence[str]) -> tuple[bytes, dict[str, int]]:
    """The bytes that begin a workbook, and what is known of its sheet."""
    front, _ = _front()
    piece, sheet = _packed(
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>' + encode_rows([[one] for one in headers]), {"crc": 0, "raw": 0}
    )
    return front + _entry({"crc": 0, "raw": 0}, 0).FileHeader(zip64=True) + piece, sheet


def append_rows(columns: Sequence[Sequence[str | None]], sheet: Mapping[str, int]) -> tuple[bytes, dict[str, int]]:
    """The bytes of further rows, and what is known of the sheet then."""
    return _packed(encode_rows(columns), sheet)


def end_workbook(file: IO[bytes], sheet: Mapping[str, int]) -> None:
    """Completes a workbook of which the file holds no more than `begin` and `more` gave, open at its end."""
    piece, sheet = _packed("</sheetData></worksheet>", sheet, zlib.Z_FINISH)
    file.write(piece)
    front, entries = _front()
    length = file.tell()
    blank = _entry({"crc": 0, "raw": 0}, 0).FileHeader(zip64=True)
    entry = _entry(sheet, length - len(front) - len(blank))
    with zipfile.ZipFile(file, "w") as archive:
        for one in (*entries, entry):
            archive.filelist.append(one)
            archive.NameToInfo[one.filename] = one
    file.seek(len(front))
    file.write(entry.FileHeader(zip64=True))


def _entry(sheet: Mapping[str, int], packed: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(_SHEET)
    entry.compress_type, entry.header_offset = zipfile.ZIP_DEFLATED, len(_front()[0])
    entry.CRC, entry.file_size, entry.compress_size = sheet["crc"], sheet["raw"], packed
    return entry


def _packed(text: str, sheet: Mapping[str, int], flush: int = zlib.Z_FULL_FLUSH) -> tuple[bytes, dict[str, int]]:
    data = text.encode()
    packer: Any = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(data) + packer.flush(flush)
    return piece, {"crc": zlib.crc32(data, sheet["crc"]), "raw": sheet["raw"] + len(data)}


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ESCAPED: Final = re.compile(f"[&<>]|{cells.UNWRITABLE}")
_OPEN: Final = '<c s="1" t="inlineStr"><is><t>'
_KEPT: Final = '<c s="1" t="inlineStr"><is><t xml:space="preserve">'
_CLOSE: Final = "</t></is></c>"


def encode_rows(columns: Sequence[Sequence[str | None]]) -> str:
    """The rows in the sheet's markup, every cell a text: a formula cannot come about, and no digit is lost."""
    written = [_column(column) for column in columns]
    return "".join([f"<row>{''.join(row)}</row>" for row in zip(*written, strict=True)])


def _column(column: Sequence[str | None]) -> list[str]:
    if _ESCAPED.search("\n".join(filter(None, column))):
        column = [html.escape(cells.escape(cell), quote=False) if cell else cell for cell in column]
    return [
        (f"{_OPEN}{cell}{_CLOSE}" if cell[0] > " " and cell[-1] > " " else f"{_KEPT}{cell}{_CLOSE}") if cell else "<c/>"
        for cell in column
    ]
