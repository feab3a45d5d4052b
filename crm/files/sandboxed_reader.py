"""Runs in a separate process with limited resources: reads the workbook from standard input and writes its rows as
JSON.

It writes lists of rows, the header first. If the file cannot be read, it writes an object with the reason. It imports
nothing of the product, has no secrets, writes no files and opens no connections."""

import datetime
import re
import resource
import sys
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

import orjson

MAX_MEMORY_BYTES = 768 * 1024 * 1024
MAX_SHEET_COLUMNS = 500
_MAX_SHEET_ROWS = 1_048_576
ROWS_PER_BATCH = 200
_MAX_CELL_CHARACTERS = 1_000_000
_ESCAPE_PATTERN = re.compile("_x([0-9A-Fa-f]{4})_")


class WorkbookError(Exception):
    """The reason why the workbook cannot be read."""


def limit_resources(seconds: int) -> None:
    """Limits memory and processor time, and forbids writing files."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def write_rows(file: Any) -> Iterator[list[str]]:
    """The non-empty rows of the first sheet, the header first. Ignores the size that the sheet declares."""
    from openpyxl import load_workbook

    _reject_document_types(file)
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    if not book.worksheets:
        raise WorkbookError("The workbook has no sheet.")
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    header: list[str] = []
    for row in sheet.iter_rows(max_row=1_000, max_col=MAX_SHEET_COLUMNS + 1, values_only=True):
        header = _trim(row)
        if header:
            break
    if len(header) > MAX_SHEET_COLUMNS:
        raise WorkbookError(f"The sheet has more than {MAX_SHEET_COLUMNS} columns.")
    is_header_written = False
    # One extra column shows whether a row is longer than the header.
    for row in sheet.iter_rows(max_row=_MAX_SHEET_ROWS, max_col=len(header) + 1, values_only=True):
        # openpyxl yields up to a million empty rows in place of the rows that the sheet leaves out.
        cells = [] if row.count(None) == len(row) else _trim(row)
        if cells:
            yield cells if is_header_written else header
            is_header_written = True


def _reject_document_types(file: Any) -> None:
    """Rejects parts with a document type: entities could expand without limit, and no valid workbook has one."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                with archive.open(name) as part:
                    _check_start(part)
    file.seek(0)


class _FirstElementReached(Exception):
    pass


def _check_start(part: Any) -> None:
    parser = expat.ParserCreate()

    def reject_document_type(*_: Any) -> None:
        raise WorkbookError("The workbook contains parts that are not allowed in a workbook; save it as CSV.")

    def stop_parsing(*_: Any) -> None:
        raise _FirstElementReached

    parser.StartDoctypeDeclHandler = reject_document_type
    parser.StartElementHandler = stop_parsing
    try:
        while piece := part.read(16_384):
            parser.Parse(piece)
    except _FirstElementReached:
        return


def _trim(row: tuple[Any, ...]) -> list[str]:
    cells = [_text(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = _ESCAPE_PATTERN.sub(lambda match: chr(int(match[1], 16)), value) if "_x" in value else value
        if len(text) > _MAX_CELL_CHARACTERS:
            raise WorkbookError(f"A cell is longer than {_MAX_CELL_CHARACTERS} characters.")
        # Replaces lone surrogates, which cannot be encoded.
        return text.encode("utf-8", "replace").decode() if not text.isascii() else text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(timespec="seconds")
    return str(value)


def main() -> None:
    limit_resources(int(sys.argv[1]))
    warnings.simplefilter("ignore")
    write = sys.stdout.buffer.write
    try:
        batch: list[list[str]] = []
        for row in write_rows(sys.stdin.buffer):
            batch.append(row)
            if len(batch) == ROWS_PER_BATCH:
                write(orjson.dumps(batch) + b"\n")
                batch = []
        write(orjson.dumps(batch) + b"\n")
    except WorkbookError as error:
        write(orjson.dumps({"refused": str(error)}) + b"\n")
    except MemoryError:
        write(b'{"refused": "Reading the workbook needs too much memory; save it as CSV."}\n')
    except BrokenPipeError:
        return
    except Exception:
        # Any other exception of a library means that the file is invalid.
        write(b'{"refused": "The workbook is damaged; save it again as .xlsx or as CSV."}\n')
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
