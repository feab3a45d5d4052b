"""Cells: formulas that do not run and come back, several values in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.files import cells

ANY = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
EDGY = st.text(st.sampled_from("'=+-@\t\r\n＝＋－＠a;\" _x0D"), max_size=12)


@given(ANY | EDGY)
def test_what_is_defused_is_restored(text):
    assert cells.restore_formula(cells.defuse_formula(text)) == text


@given(ANY | EDGY)
def test_nothing_that_is_defused_begins_like_a_formula(text):
    assert cells.defuse_formula(text)[:1] not in tuple("=+-@\t\r\n＝＋－＠")


@given(st.lists((ANY | EDGY).map(str.strip).filter(bool), max_size=5))
def test_several_values_come_back_from_one_cell(values):
    assert cells.split_values(cells.join_values(values)) == values


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        pytest.param("a; b;c", ["a", "b", "c"], id="with and without a space"),
        pytest.param('"a;b"; c', ["a;b", "c"], id="quoted"),
        pytest.param('"say ""hi"";"; d', ['say "hi";', "d"], id="quotes in quotes"),
        pytest.param('5" screen; tv', ['5" screen', "tv"], id="a quote inside"),
        pytest.param('"open; end', ['"open', "end"], id="a quote without its second"),
        pytest.param(" ; ;", [], id="nothing"),
    ],
)
def test_a_cell_that_a_person_wrote(cell, values):
    assert cells.split_values(cell) == values


@given(ANY | EDGY)
def test_a_workbook_keeps_what_xml_cannot_hold(text):
    assert cells.unescape(cells.escape(text)) == text
