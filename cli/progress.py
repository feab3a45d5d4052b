"""Progress of long work: a bar with rows a second and time left on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

Report = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

_BETWEEN_LINES: Final = 5.0
"""Seconds."""


@contextmanager
def shown(what: str) -> Iterator[Report]:
    """On standard error, so that what a command prints stays clean."""
    if sys.stderr.isatty():
        with _bar(what) as report:
            yield report
    else:
        yield _lines(what)


@contextmanager
def _bar(what: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "")

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), Speed(), "left", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(what: str) -> Report:
    started = time.monotonic()
    said = started

    def report(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if done >= total or now - said >= _BETWEEN_LINES:
            said = now
            click.echo(f"{what}: {done} of {total}, {done / max(now - started, 0.001):.0f} a second", err=True)

    return report
