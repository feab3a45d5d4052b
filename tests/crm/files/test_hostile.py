"""Files that mean harm: refused in under a second, and in little memory."""

import copy
import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from crm.files import tables
from crm.files.writers import RowWriter
from db.tables.enums import FileFormat

Make = Callable[[Path], None]
"""What is large is made when its test runs, not when it is collected."""

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def _parts(path: Path) -> dict[str, bytes]:
    book = RowWriter(path, FileFormat.XLSX, ["name"])
    book.write([["An"]])
    book.close()
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _pack(path: Path, parts: dict[str, bytes]) -> None:
    with path.open("wb") as file:
        _pack_into(file, parts)


def _pack_into(file: IO[bytes], parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def _sheet(rows: Callable[[], str]) -> Make:
    return _part(
        "xl/worksheets/sheet1.xml",
        lambda: f"<worksheet {_MAIN}><sheetData>{rows()}</sheetData></worksheet>".encode(),
    )


def _part(name: str, content: Callable[[], bytes]) -> Make:
    return lambda path: _pack(path, {**_parts(path), name: content()})


def _written(content: Callable[[], bytes]) -> Make:
    def make(path: Path) -> None:
        path.write_bytes(content())

    return make


def _many_entries(path: Path) -> None:
    _pack(path, {**_parts(path), **{f"xl/{number}.xml": b"" for number in range(300)}})


def _nested_bomb(path: Path) -> None:
    """A small zip whose entries all point at the same megabytes would do as well; this one is simply full of zeros."""
    _pack(path, {**_parts(path), "xl/media/a.bin": b"\0" * 150_000_000})


def _huge_directory(path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(70_000):
            archive.writestr(str(number), b"")
    path.write_bytes(held.getvalue())


_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]><worksheet/>""" % b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (98 + n, *[97 + n] * 10) for n in range(10)
)


def _overlapping(path: Path) -> None:
    """Two hundred entries that all are the same twenty megabytes of zeros: each by itself is small enough."""
    held = io.BytesIO()
    _pack_into(held, {**_parts(path), "xl/media/0.bin": b"\0" * 900_000})
    with zipfile.ZipFile(held, "a") as archive:
        one = archive.getinfo("xl/media/0.bin")
        for number in range(1, 150):
            other = copy.copy(one)
            other.filename = f"xl/media/{number}.bin"
            archive.filelist.append(other)
            archive.NameToInfo[other.filename] = other
        archive._didModify = True  # type: ignore[attr-defined] # nothing else was written
    path.write_bytes(held.getvalue())


_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_LINKED = (
    f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument'
    '/2006/relationships/worksheet" Target="http://169.254.169.254/latest" TargetMode="External"/></Relationships>'
)

HOSTILE: dict[str, Make] = {
    "entries that overlap": _overlapping,
    "a sheet elsewhere on the network": _part("xl/_rels/workbook.xml.rels", lambda: _LINKED.encode()),
    "a sheet that is a file of the server": _part(
        "xl/_rels/workbook.xml.rels", lambda: _LINKED.replace("http://169.254.169.254/latest", "/etc/passwd").encode()
    ),
    "a hundred megabytes in one line": _written(lambda: b"x" * 100_000_000),
    "a million columns of a JSON object": _written(
        lambda: b"{" + b",".join(b'"k%d":1' % number for number in range(80_000)) + b"}\n"
    ),
    "UTF-16 without an end of line": _written(
        lambda: "name,x\n".encode("utf-16") + "y".encode("utf-16-le") * 10_000_000
    ),
    "a name that lies": _written(lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 1000),
    "NULs": _written(lambda: b"name,email\n" + b"\0" * 5_000_000),
    "a bomb": _nested_bomb,
    "a bomb of a sheet": _sheet(lambda: "<row><c t='inlineStr'><is><t>" + "a" * 60_000_000 + "</t></is></c></row>"),
    "many parts": _many_entries,
    "a directory of many thousands": _huge_directory,
    "laughing entities in the sheet": _part("xl/worksheets/sheet1.xml", lambda: _LAUGHS),
    "laughing entities in the workbook": _part("xl/workbook.xml", lambda: _LAUGHS),
    "an entity that reads a file": _part(
        "xl/worksheets/sheet1.xml", lambda: b'<!DOCTYPE x [<!ENTITY a SYSTEM "/etc/passwd">]><worksheet>&a;</worksheet>'
    ),
    "a workbook without a sheet": _part("xl/workbook.xml", lambda: f"<workbook {_MAIN}/>".encode()),
    "a sheet that is none": _part("xl/worksheets/sheet1.xml", lambda: b"\xff" * 1000),
    "a sheet of far too many columns": _sheet(
        lambda: "<row>" + "".join(f"<c t='str'><v>{number}</v></c>" for number in range(5000)) + "</row>"
    ),
    "a record without an end": _written(lambda: b'name,note\nAn,"' + b"x\n" * 10_000_000),
    "a line without an end": _written(lambda: b"name\n" + b"x" * 20_000_000),
    "a line of separators": _written(lambda: b"name\n" + b"," * 20_000_000),
    "a header of separators": _written(lambda: b"," * 20_000_000),
    "an object without an end": _written(lambda: b'{"a":"' + b"x" * 20_000_000),
    "an object of a depth": _written(lambda: b'{"a":' + b"[" * 900_000),
    "more and more keys": _written(lambda: b"".join(b'{"k%d":1}\n' % number for number in range(100_000))),
}


READER = """
import resource, sys, time
from pathlib import Path
from typing import IO
from crm.files import tables
from crm.files.errors import Unreadable
def held():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, started = held(), time.process_time()
try:
    for _ in tables.open_table(Path(sys.argv[1])).rows():
        pass
    print("read", end=" ")
except Unreadable as refused:
    print("refused", end=" ")
print(time.process_time() - started, held() - before)
"""


# Each takes a process of its own, so most of them wait for the longer tests.
_AT_ONCE = {"a bomb", "entries that overlap", "a sheet elsewhere on the network", "a hundred megabytes in one line"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in _AT_ONCE else pytest.mark.long) for name in HOSTILE]
)
def test_it_is_refused_at_once(tmp_path, name):
    """By a process that has done nothing before, so that what it holds at most is of this file."""
    path = tmp_path / "file"
    HOSTILE[name](path)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True)
    outcome, seconds, held = done.stdout.split()
    assert outcome == "refused"
    assert float(seconds) < 1
    assert int(held) < 50_000_000
    assert time.monotonic() - began < 20, "a machine that does more than this has to be waited for"


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is(tmp_path):
    path = tmp_path / "file"
    rows = "<row r='1'><c t='str'><v>name</v></c></row><row r='2'><c t='str'><v>An</v></c></row>"
    sheet = f"<worksheet {_MAIN}><dimension ref='A1:XFD1048576'/><sheetData>{rows}</sheetData></worksheet>"
    _part("xl/worksheets/sheet1.xml", sheet.encode)(path)
    assert list(tables.open_table(path).rows()) == [["An"]]


@pytest.mark.parametrize("number", [1_048_576, 99_999_999_999], ids=["the last row there is", "beyond the last row"])
def test_a_row_far_away_does_not_take_long(tmp_path, number):
    path = tmp_path / "file"
    far = f"<row r='{number}'><c t='str'><v>Far</v></c></row>"
    _sheet(lambda: f"<row r='1'><c t='str'><v>name</v></c></row>{far}")(path)
    started = time.monotonic()
    assert list(tables.open_table(path).rows()) in ([["Far"]], [])
    assert time.monotonic() - started < 20


def test_the_confined_process_knows_nothing_of_this_one(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIENTELA_SECRET", "not to be told to anybody")
    path = tmp_path / "file"
    _parts(path)
    assert tables.open_table(path).headers == ["name"]
