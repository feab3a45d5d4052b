"""Dependencies: each dependency of pyproject.toml has an exact version in constraints.txt."""

import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.repository_files import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in LINES) if version}


def test_what_is_asked_for_has_an_exact_version_that_will_do():
    loose = [
        line
        for line in ASKED
        if not (wanted := Requirement(line)).specifier.contains(PINNED.get(canonicalize_name(wanted.name), "0"))
    ]
    assert not loose, f"write their versions into constraints.txt: {loose}"


def test_constraints_name_versions_and_nothing_else():
    assert not [line for line in LINES if not line.startswith("#") and (line.count("==") != 1 or " " in line)]
