"""Reading tables: encodings, separators, quotes, workbooks, JSON; rows and headers as they were meant."""

import csv
import datetime
import unicodedata
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.files import tables
from crm.files.errors import Unreadable
from db.tables.enums import FileFormat

NAMES = ["Nguyễn Văn Đức", "Città d'Accòrso", "Müller; Söhne", 'The "Best", Ltd', "two\r\nlines"]


@pytest.fixture
def file(tmp_path):
    def made(content: bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(content)
        return path

    return made


def rows(path: Path, **options: Any) -> list[list[str]]:
    return list(tables.open_table(path, **options).rows())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_in_any_encoding_and_with_any_separator(tmp_path, encoding, separator):
    path = tmp_path / "file.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows(
            [["name", "e-mail"], *([name, "x@y.example"] for name in NAMES)]
        )
    table = tables.open_table(path)
    assert (table.format, table.separator, table.headers) == (FileFormat.CSV, separator, ["name", "e-mail"])
    assert [row[0] for row in table.rows()] == NAMES


def test_what_is_not_utf_8_is_windows_1252(file):
    path = file("Name;Città\r\nJosé;Forlì – 5 €\r\n".encode("cp1252"))
    assert tables.open_table(path).headers == ["Name", "Città"]
    assert rows(path) == [["José", "Forlì – 5 €"]]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["CRLF", "LF", "CR"])
def test_lines_end_in_any_way(file, end):
    assert rows(file(end.join([b"a,b", b"1,2", b"", b",", b"3,4"]))) == [["1", "2"], ["3", "4"]]


def test_a_comma_in_quotes_does_not_hide_the_semicolon(file):
    assert tables.open_table(file(b'name;note\n"a, b, c";"d, e, f"\n"g, h, i";j\n')).separator == ";"


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\u2028", "\x85", "\x1e"])
def test_a_cell_may_hold_what_separates_pages_or_paragraphs(file, inside):
    table = tables.open_table(file(f"name,externalId.a; b,note\nAn,1,x{inside}y\nB,2,x{inside}y\n".encode()))
    assert table.separator == ","
    assert next(iter(table.rows())) == ["An", "1", f"x{inside}y"]


def test_the_first_line_of_excel_that_names_the_separator_is_no_header(file):
    path = file(b"sep=;\r\nname;city\r\nAn;Hue, Vietnam\r\n")
    assert tables.open_table(path).headers == ["name", "city"]
    assert rows(path) == [["An", "Hue, Vietnam"]]


def test_a_single_column(file):
    path = file(b"e-mail\na@b.example\nc@d.example\n")
    assert tables.open_table(path).headers == ["e-mail"]
    assert rows(path) == [["a@b.example"], ["c@d.example"]]


def test_an_apostrophe_before_a_formula_is_taken_off(file):
    assert rows(file(b"a,b,c,d\n'=1+1,'+84,'abc,''=x\n")) == [["=1+1", "+84", "'abc", "'=x"]]


def test_columns_of_one_name_are_told_apart(file):
    assert tables.open_table(file(b"Phone,Phone,,Phone\n1,2,3,4\n")).headers == [
        "Phone",
        "Phone (2)",
        "Column 3",
        "Phone (3)",
    ]


def test_rows_can_be_skipped(file):
    assert list(tables.open_table(file(b"a\n1\n2\n3\n")).rows(2)) == [["3"]]


def test_json_lines(file):
    path = file('{"name":"Đặng","tags":["a;b","c"]}\n\n{"name":"An","value":5.0,"vip":true,"note":null}\n'.encode())
    table = tables.open_table(path)
    assert (table.format, table.headers) == (FileFormat.JSONL, ["name", "tags", "value", "vip", "note"])
    assert list(table.rows()) == [["Đặng", '"a;b"; c', "", "", ""], ["An", "", "5", "true", ""]]


def test_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Name", "Born", "Phone", "VIP", "Worth"])
    sheet.append([])
    sheet.append(["Đặng\nAn", datetime.date(1990, 5, 17), 84901234567, True, 12.5])
    sheet.append(["=1+1", datetime.datetime(2026, 1, 2, 3, 4, 5), None, False, 3.0, "beyond"])
    book.save(tmp_path / "book.xlsx")
    table = tables.open_table(tmp_path / "book.xlsx")
    assert (table.format, table.headers) == (FileFormat.XLSX, ["Name", "Born", "Phone", "VIP", "Worth"])
    found = list(table.rows())
    assert found[0] == ["Đặng\nAn", "1990-05-17", "84901234567", "true", "12.5"]
    assert found[1][1:] == ["2026-01-02T03:04:05", "", "false", "3", "beyond"]


def test_a_workbook_is_let_go_of_before_its_end(tmp_path):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in range(5_000):
        sheet.append([number, "x" * 100])
    book.save(tmp_path / "book.xlsx")
    found = tables.open_table(tmp_path / "book.xlsx").rows()
    assert next(found)[0] == "1"
    found.close()  # type: ignore[attr-defined] # a generator


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n\n\r\n", id="no row"),
        pytest.param(b"\x00\x01\x02\xff" * 100, id="bytes"),
        pytest.param(b"\xd0\xcf\x11\xe0 old workbook", id="an old workbook"),
        pytest.param(b"PK\x03\x04 not a zip", id="half a zip"),
        pytest.param(b"{not json}\n", id="half an object"),
        pytest.param(b'[{"name": "An"}]', id="a JSON list"),
        pytest.param(b"<html><table><tr><td>name</td></tr></table></html>", id="a web page that says it is a workbook"),
        pytest.param(b"%PDF-1.7\n", id="a document"),
        pytest.param(b"\x1f\x8b\x08 packed", id="a packed file"),
        pytest.param(b'name,note\nAn,"no end\nBinh,x\n', id="a quote that never ends"),
        pytest.param(b'{"a":1}\n[2]\n', id="a list among objects"),
    ],
)
def test_what_is_no_table_is_refused(file, content):
    with pytest.raises(Unreadable):
        rows(file(content))


VIETNAMESE = "Họ và tên;Địa chỉ\nNguyễn Thị Hường;1 Lê Lợi, Quận Bình Thạnh\n"


def in_the_code_page_of_vietnamese(text: str) -> bytes:
    """A tone stands apart behind its vowel there."""
    found = b""
    for letter in text:
        *base, tone = unicodedata.normalize("NFD", letter)
        if tone in "\u0300\u0301\u0303\u0309\u0323":
            found += unicodedata.normalize("NFC", "".join(base)).encode("cp1258") + tone.encode("cp1258")
        elif len(base) > 1 and base[1] == "\u0323":
            # What is above the letter belongs to it, what is below is its tone.
            found += unicodedata.normalize("NFC", base[0] + tone).encode("cp1258") + "\u0323".encode("cp1258")
        else:
            found += letter.encode("cp1258")
    return found


def test_the_old_code_page_of_vietnamese(file):
    table = tables.open_table(file(in_the_code_page_of_vietnamese(VIETNAMESE)))
    assert table.encoding == "cp1258"
    assert [table.headers, *table.rows()] == [line.split(";") for line in VIETNAMESE.splitlines()]


@pytest.mark.parametrize(
    "text",
    ["Nome;Nota\nNiccolò;Perciò lasciò, però così\n", "Nome;Cidade\nJoão;São Tomé\n", "Nafn;x\nÞórður;Það\n"],
    ids=["Italian", "Portuguese", "Icelandic"],
)
def test_other_languages_are_not_taken_for_it(file, text):
    table = tables.open_table(file(text.encode("cp1252")))
    assert [table.headers, *table.rows()] == [line.split(";") for line in text.splitlines()]
