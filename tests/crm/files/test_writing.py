"""Writing tables: what is written is read again as it was, and runs in no spreadsheet."""

import openpyxl
import orjson
import pytest

from crm.files import tables, writing

HEADERS = ["name", "phones", "value", "note"]
ROWS = [
    ["Nguyễn Văn Đức", ["+84901234567", "+84 912"], "12.5", "=HYPERLINK(1)"],
    ["Città", [], None, "'=already"],
    ["two\r\nlines", ["a;b", '"c"'], "-5", "@here _x000D_ \x0b\ttab"],
    ["＝wide", ["one"], "0", "'plain"],
]
TEXTS = [[writing.text(cell) for cell in row] for row in ROWS]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_comes_back(tmp_path, separator):
    path = tmp_path / "file.csv"
    path.write_bytes(b"\xef\xbb\xbf" + writing.delimited([HEADERS, *ROWS], separator))
    table = tables.look(path)
    assert (table.headers, table.separator) == (HEADERS, separator)
    assert list(table.rows()) == TEXTS


def test_no_cell_of_csv_begins_like_a_formula():
    written = writing.delimited(ROWS).decode()
    assert "'=HYPERLINK" in written
    assert "'+84901234567" in written
    assert "'-5" in written
    assert '"\'＝wide"' in written or "'＝wide" in written
    assert "''=already" in written


def test_a_workbook_comes_back(tmp_path):
    path = tmp_path / "file.xlsx"
    book = writing.Workbook(path)
    book.write([HEADERS])
    book.write(ROWS)
    book.close()
    table = tables.look(path)
    assert table.headers == HEADERS
    assert list(table.rows()) == TEXTS


def test_every_cell_of_a_workbook_is_a_text(tmp_path):
    path = tmp_path / "file.xlsx"
    book = writing.Workbook(path)
    book.write([["=1+1", "+84901234567", "007", "2026-11-22", True, 5]])
    book.close()
    opened = openpyxl.load_workbook(path)
    cells = next(opened.active.rows)
    assert [(cell.value, cell.data_type) for cell in cells] == [
        (text, "s") for text in ("=1+1", "+84901234567", "007", "2026-11-22", "true", "5")
    ]


def test_json_lines_come_back(tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_bytes(writing.lines(HEADERS, ROWS))
    assert orjson.loads(path.read_bytes().splitlines()[0])["phones"] == ["+84901234567", "+84 912"]
    assert list(tables.look(path).rows()) == TEXTS
