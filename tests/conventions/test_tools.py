"""Tools: ruff, mypy and import-linter find nothing; schema.graphql matches the code."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.repository_files import ROOT


def run(program: str, *arguments: str) -> None:
    """Runs a program of the tests' environment; fails with its whole output."""
    ended = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments], cwd=ROOT, capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, f"\n{ended.stdout}{ended.stderr}"


def test_ruff_finds_nothing():
    run("ruff", "check", "--no-cache", "--quiet", ".")


def test_ruff_would_format_nothing():
    run("ruff", "format", "--no-cache", "--quiet", "--check", ".")


def test_mypy_finds_nothing():
    # Without write access to the sources, mypy runs without a cache.
    cache = ROOT / ".mypy_cache" if os.access(ROOT, os.W_OK) else os.devnull
    run("mypy", "--strict", f"--cache-dir={cache}", "--no-error-summary")


def test_no_floor_reaches_up():
    run("lint-imports", "--no-cache")


def test_the_exported_schema_is_what_the_code_says():
    run("python", "-m", "cli", "schema", "--check")
