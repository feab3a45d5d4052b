"""What is shown meanwhile: progress and logs."""

import json
import logging
import logging.config
import sys

import pytest

from cli import logs, progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_without_a_terminal_progress_is_a_line_now_and_then_and_at_the_end(clock, capsys):
    with progress.show_progress("customers") as report:
        for done in range(0, 2001, 100):
            clock[0] += 1.0
            report(done, 2000)
    assert capsys.readouterr().err.splitlines() == [
        "customers: 400 of 2000, 80 per second",
        "customers: 900 of 2000, 90 per second",
        "customers: 1400 of 2000, 93 per second",
        "customers: 1900 of 2000, 95 per second",
        "customers: 2000 of 2000, 95 per second",
    ]


def test_on_a_terminal_progress_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    with progress.show_progress("customers") as report:
        report(500, 2000)
        report(2000, 2000)
    assert "2000/2000" in capsys.readouterr().err


@pytest.fixture
def restored_logging():
    """The tests' own handlers come back."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = kept


@pytest.mark.usefixtures("restored_logging")
def test_a_json_log_line_holds_what_was_given_with_it(capsys):
    logging.config.dictConfig(logs.logging_configuration("json"))
    logger = logging.getLogger("clientela.operations")
    logger.info("%s answered", "customers", extra={"request_id": "r1", "cost": 3})
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("a bug")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "logger": "clientela.operations",
        "message": "customers answered",
        "request_id": "r1",
        "cost": 3,
    }
    assert second["exception"].endswith("ValueError: broken")


@pytest.mark.usefixtures("restored_logging")
def test_a_text_log_line_is_for_people(capsys):
    logging.config.dictConfig(logs.logging_configuration("text"))
    logging.getLogger("clientela").warning("careful")
    assert capsys.readouterr().err.endswith(" WARNING clientela: careful\n")
