"""The command as users run it: its own process, an empty directory, its own environment."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from crm.settings import PREFIX
from tests.support.repository_files import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment() -> dict[str, str]:
    """An environment without the developer's settings. Tests add variables for their commands."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


@pytest.fixture
def clientela(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs `clientela …` in `tmp_path` to its end."""

    def run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, input=stdin, capture_output=True, check=False, text=True, timeout=60
        )

    return run


@pytest.fixture
def inside(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs the command in the tests' own process, for tests of its output."""

    def run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        ours = {name: None for name in os.environ if name.startswith(PREFIX)}
        theirs = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
        with chdir(tmp_path):
            done = CliRunner().invoke(main, arguments, input=stdin, env={**ours, **theirs}, catch_exceptions=False)
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts `clientela …` in `tmp_path`. Processes that still run at the end of the test are killed with their
    children."""
    started: list[subprocess.Popen[str]] = []
    errors = (tmp_path / "stderr.txt").open("w")

    def begin(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with _gone_is_fine():
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    errors.close()


def lines_until(process: "subprocess.Popen[str]", wanted: str) -> list[str]:
    """The output of the process up to the line that contains `wanted`. Fails if the process ends before."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if wanted in line:
            return lines
    raise AssertionError(f"it ended with {process.wait()}, after {lines}")


def stopped(process: "subprocess.Popen[str]", number: signal.Signals = signal.SIGTERM) -> int:
    """The exit code after this signal."""
    process.send_signal(number)
    return process.wait(30)


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except ProcessLookupError:
        return


def refusal(ended: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence on standard error of a failed command."""
    assert (ended.returncode, ended.stdout) == (1, ""), ended
    [line] = ended.stderr.splitlines()
    assert line.startswith("clientela: ")
    assert line.endswith(".")
    return line.removeprefix("clientela: ")
