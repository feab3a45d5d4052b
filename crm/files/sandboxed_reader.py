"""Runs by itself, in a process that may take little: reads the workbook at standard input, writes its rows as JSON.

First the header, then lists of rows; where the file cannot be read, an object with what is wrong. It imports nothing
of the product, knows no secret, and can neither write a file nor open a connection that matters to anybody.
"""

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
_ROWS = 1_048_576
_BATCH = 200
_LONGEST = 1_000_000
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class WorkbookError(Exception):
    """What is wrong with the workbook."""


def limit_resources(seconds: int) -> None:
    """From here on little memory and time, no file to write, no other process."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def write_rows(file: Any) -> Iterator[list[str]]:
    """The rows of the first sheet that hold something, the header first. What the sheet says of its own size is not
    believed."""
    from openpyxl import load_workbook

    _refuse_documents(file)
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    if not book.worksheets:
        raise WorkbookError("The workbook has no sheet.")
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    header: list[str] = []
    for row in sheet.iter_rows(max_row=1_000, max_col=MAX_SHEET_COLUMNS + 1, values_only=True):
        header = _trimmed(row)
        if header:
            break
    if len(header) > MAX_SHEET_COLUMNS:
        raise WorkbookError(f"The sheet has more than {MAX_SHEET_COLUMNS} columns.")
    begun = False
    # One column more shows that a row is longer than the header.
    for row in sheet.iter_rows(max_row=_ROWS, max_col=len(header) + 1, values_only=True):
        # Rows that the sheet leaves out come as empty ones, as many as a million.
        cells = [] if row.count(None) == len(row) else _trimmed(row)
        if cells:
            yield cells if begun else header
            begun = True


def _refuse_documents(file: Any) -> None:
    """A part with a document type can grow without end when it is read, and no workbook has one."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                with archive.open(name) as part:
                    _check_start(part)
    file.seek(0)


class _Begun(Exception):
    pass


def _check_start(part: Any) -> None:
    parser = expat.ParserCreate()

    def document(*_: Any) -> None:
        raise WorkbookError("The workbook holds what no workbook should: save it as CSV.")

    def begun(*_: Any) -> None:
        raise _Begun

    parser.StartDoctypeDeclHandler = document
    parser.StartElementHandler = begun
    try:
        while piece := part.read(16_384):
            parser.Parse(piece)
    except _Begun:
        return


def _trimmed(row: tuple[Any, ...]) -> list[str]:
    cells = [_text(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
        if len(text) > _LONGEST:
            raise WorkbookError(f"A cell is longer than {_LONGEST} characters.")
        # A lone half of a character cannot be written on.
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
            if len(batch) == _BATCH:
                write(orjson.dumps(batch) + b"\n")
                batch = []
        write(orjson.dumps(batch) + b"\n")
    except WorkbookError as refused:
        write(orjson.dumps({"refused": str(refused)}) + b"\n")
    except MemoryError:
        write(b'{"refused": "The workbook takes too much memory: save it as CSV."}\n')
    except BrokenPipeError:
        return
    except Exception:
        # Whatever a library stumbles over, the file is at fault.
        write(b'{"refused": "The workbook is damaged: save it again, as .xlsx or as CSV."}\n')
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
