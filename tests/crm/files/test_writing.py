"""Writing tables: what is written is read again as it was, and runs in no spreadsheet."""

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest

from crm.files import tables, writers
from crm.files.errors import Unreadable
from crm.files.writers import RowWriter
from db.tables.enums import FileFormat

HEADERS = ["name", "phones", "value", "note"]
ROWS = [
    ["Nguyễn Văn Đức", ["+84901234567", "+84 912"], "12.5", "=HYPERLINK(1)"],
    ["Città", [], None, "'=already"],
    ["two\r\nlines", ["a;b", '"c"'], "-5", "@here _x000D_ \x0b\ttab"],
    ["＝wide", ["one"], "0", "'plain"],
]
COLUMNS: list[list[Any]] = [list(column) for column in zip(*ROWS, strict=True)]
TEXTS = [[writers.cell_text(cell) for cell in row] for row in ROWS]


def written(path: Path, format: FileFormat, **how: Any) -> Path:
    writer = RowWriter(path, format, HEADERS, **how)
    writer.write(ROWS)
    writer.close()
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_comes_back(tmp_path, separator):
    table = tables.open_table(written(tmp_path / "file.csv", FileFormat.CSV, separator=separator, bom=True))
    assert (table.headers, table.separator) == (HEADERS, separator)
    assert list(table.rows()) == TEXTS


def test_no_cell_of_csv_begins_like_a_formula():
    text = writers.csv_lines(COLUMNS).decode()
    assert "'=HYPERLINK" in text
    assert "'+84901234567" in text
    assert "'-5" in text
    assert '"\'＝wide"' in text or "'＝wide" in text
    assert "''=already" in text


def test_a_workbook_comes_back(tmp_path):
    table = tables.open_table(written(tmp_path / "file.xlsx", FileFormat.XLSX))
    assert table.headers == HEADERS
    assert list(table.rows()) == TEXTS


def test_every_cell_of_a_workbook_is_a_text(tmp_path):
    path = tmp_path / "file.xlsx"
    writer = RowWriter(path, FileFormat.XLSX, list("abcdef"))
    writer.write([["=1+1", "+84901234567", "007", "2026-11-22", True, 5]])
    writer.close()
    opened = openpyxl.load_workbook(path)
    cells = list(opened.active.rows)[1]
    assert [(cell.value, cell.data_type) for cell in cells] == [
        (text, "s") for text in ("=1+1", "+84901234567", "007", "2026-11-22", "true", "5")
    ]


def test_json_lines_come_back(tmp_path):
    path = written(tmp_path / "file.jsonl", FileFormat.JSONL)
    assert orjson.loads(path.read_bytes().splitlines()[0])["phones"] == ["+84901234567", "+84 912"]
    assert list(tables.open_table(path).rows()) == TEXTS


@pytest.mark.parametrize("format", FileFormat, ids=[one.name for one in FileFormat])
def test_a_file_that_is_gone_on_with_is_the_same(tmp_path, format):
    whole = written(tmp_path / "whole", format)
    path = tmp_path / "file"
    state: dict[str, Any] = RowWriter(path, format, HEADERS).state
    for row in ROWS:
        with path.open("ab") as file:
            file.write(b"half a piece that nobody counted")
        writer = RowWriter(path, format, HEADERS, state=state)
        writer.write([row])
        state = writer.state
    RowWriter(path, format, HEADERS, state=state).close()
    once = path.read_bytes()
    RowWriter(path, format, HEADERS, state=state).close()
    assert path.read_bytes() == once
    table, other = tables.open_table(path), tables.open_table(whole)
    assert (table.headers, list(table.rows())) == (other.headers, list(other.rows()))


def test_a_workbook_has_no_flaw(tmp_path):
    with zipfile.ZipFile(written(tmp_path / "file.xlsx", FileFormat.XLSX)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "[Content_Types].xml"


def test_a_file_that_lost_its_end_is_not_gone_on_with(tmp_path):
    path = tmp_path / "file.csv"
    writer = RowWriter(path, FileFormat.CSV, HEADERS)
    writer.write(ROWS)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Unreadable):
        writer.close()
