"""Rule codes: each rule is shown by a test, and no code is invented."""

import re

from tests.support.repository_files import ROOT, modules

# The subject of each family of codes, and the numbers that are rules of this product.
RULES = {
    "MS": ("tags of customers", "2-5 7-9 11-12"),
    "SM": ("the list of customers, its views, its tools", "1-21"),
    "EM": ("contacts and their subscriptions", "1-6 8-19 21-23"),
    "VC": ("tags and the relationship that moves by itself", "2-3 5-13"),
    "SB": ("stages, assignment, the pool, custom fields", "2-5 7-24"),
}
_CODE = re.compile(r"\b(MS|SM|EM|VC|SB)(\d+)(?:[-–](?:\1)?(\d+))?")
HERE = "tests/conventions/test_rules.py"


def _promised() -> set[str]:
    return {f"{family}{number}" for family, (_, spans) in RULES.items() for number in _numbers(spans)}


def _numbers(spans: str) -> set[int]:
    ends = [[int(end) for end in span.split("-")] for span in spans.split()]
    return {number for each in ends for number in range(each[0], each[-1] + 1)}


def _named(path) -> set[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return {
        f"{family}{number}"
        for family, first, last in _CODE.findall(text)
        for number in range(int(first), int(last or first) + 1)
    }


def test_every_rule_is_named_by_a_test():
    shown = {code for path in modules("tests") if "test_" in path.name and str(path) != HERE for code in _named(path)}
    assert sorted(_promised() - shown) == []


def test_every_code_is_that_of_a_rule():
    used = {code: str(path) for path in modules() if str(path) != HERE for code in _named(path)}
    assert {code: path for code, path in used.items() if code not in _promised()} == {}
