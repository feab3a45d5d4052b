"""Cells: values as people write them in several countries."""

from types import SimpleNamespace

import pytest

from crm.importing import cells
from crm.importing.cells import CellError, CellFormat
from db.tables.enums import CustomerStage, CustomFieldType

HERE = CellFormat(timezone="Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", "1234.5"), ("1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("1 234,50", "1234.50"),
        ("1.234.567", "1234567"), ("1,234,567", "1234567"), ("12,5", "12.5"), ("-3", "-3"), ("1e3", "1000"),
        ("1'234.5", "1234.5"), ("1.234", "1.234"), ("007", "7"),
    ],
)  # fmt: skip
def test_a_number(text, value):
    assert cells.parse_number(text) == pytest.approx(cells.Decimal(value))


@pytest.mark.parametrize("text", ["", "abc", "1,234", "1..2", "12 €", "١٢", "nan", "1,2,3.4.5"])
def test_what_is_no_number(text):
    with pytest.raises(CellError):
        cells.parse_amount(text, HERE)


def test_an_amount_is_exact():
    assert cells.parse_amount("12.3456", HERE) == 123456
    with pytest.raises(CellError):
        cells.parse_amount("0.00001", HERE)
    with pytest.raises(CellError):
        cells.parse_amount("1" * 20, HERE)


@pytest.mark.parametrize(
    ("text", "month_first", "value"),
    [
        ("1990-05-17", False, "1990-05-17"), ("17/05/1990", False, "1990-05-17"), ("7.5.1990", False, "1990-05-07"),
        ("05/17/1990", True, "1990-05-17"), ("1990-05-17T00:00:00", False, "1990-05-17"),
        ("1990/5/7", True, "1990-05-07"),
    ],
)  # fmt: skip
def test_a_date(text, month_first, value):
    assert cells.parse_date(text, CellFormat(month_first)) == value


@pytest.mark.parametrize("text", ["17/05/90", "05/17/1990", "2026-02-30", "soon", "", "1/2"])
def test_what_is_no_date(text):
    with pytest.raises(CellError):
        cells.parse_date(text, HERE)


def test_a_moment_without_an_offset_is_of_the_workspace():
    assert cells.parse_moment("2026-11-21 09:30", HERE) == "2026-11-21T02:30:00.000Z"
    assert cells.parse_moment("2026-11-21", HERE) == "2026-11-20T17:00:00.000Z"
    assert cells.parse_moment("2026-11-21T09:30:00.123Z", HERE) == "2026-11-21T09:30:00.123Z"


def test_words():
    assert cells.parse_gender("Nữ", HERE).name == "FEMALE"
    assert cells.parse_gender("laki-laki", HERE).name == "MALE"
    assert cells.parse_boolean("Sì", HERE) is True
    assert cells.parse_boolean("KHÔNG", HERE) is False
    assert cells.parse_choice(CustomerStage)("To be assigned", HERE) is CustomerStage.TO_BE_ASSIGNED
    with pytest.raises(CellError):
        cells.parse_gender("?", HERE)


def test_an_option_is_found_whatever_its_case():
    field = SimpleNamespace(type=CustomFieldType.MULTI_SELECT, options=["Đỏ", "Xanh"])
    assert cells.parse_custom_value(field, "do; XANH; other", HERE) == ["Đỏ", "Xanh", "other"]
