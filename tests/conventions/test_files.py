"""Files: meaningful names, readable sizes, and no traces of the machine where they were written."""

import re

import pytest

from tests.support.repository_files import LAYERS, ROOT, modules, tracked

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "service", "services"}
LONGEST = 400
RECORDS = "db/migrations/versions/"
"""A migration contains everything it does; it is never edited later."""

# Built at run time, so that this file does not contain what it searches for.
PLACES = {
    "a home or work directory": r"(?<![\w.~:/])/(?:root|home|Users|work|opt)/[\w.]",
    "a local file's address": "file:" + "//+",
    "a registry": r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|artifactory|nexus|devpi)" + r"\.(?:org|com|io)\b",
    "an option naming a registry": r"--(?:extra-)?index-" + "url|--find-" + "links|trusted-" + "host",
}
BINARY = {".png", ".ico", ".gif", ".jpg", ".webp", ".woff", ".woff2", ".ttf", ".xlsx", ".zip", ".gz", ".db"}
MADE = ("graph/graphiql/static/",)
"""Bundled third-party code with its own addresses."""


def test_no_name_says_nothing():
    empty = [str(path) for path in tracked() for part in path.parts if part.split(".")[0] in EMPTY_NAMES]
    assert not empty, f"name these for what they hold: {empty}"


def test_no_module_is_too_long_to_read():
    lengths = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in modules()
        if RECORDS not in str(path)
    }
    long = {path: length for path, length in lengths.items() if length > LONGEST}
    assert not long, f"make these packages of shorter modules (at most {LONGEST} lines): {long}"


def test_the_first_line_of_a_module_says_what_it_is_for():
    silent = [str(path) for path in modules(*LAYERS) if not _first_line(path).startswith('"""')]
    assert not silent, f"begin these with a docstring: {silent}"


@pytest.mark.parametrize("what", PLACES)
def test_nothing_tells_where_it_was_written(what):
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in tracked()
        if path.suffix not in BINARY and not str(path).startswith(MADE)
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if re.search(PLACES[what], line)
    ]
    assert not found, f"{what} has no place in the repository: {found[:20]}"


def _first_line(path):
    return (ROOT / path).read_text(encoding="utf-8").partition("\n")[0]
