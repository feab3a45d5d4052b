"""Progress of long work: a bar with speed and remaining time on a terminal, otherwise a line every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

ReportProgress = Callable[[int, int], None]
"""A function that takes the number of finished items and the total."""

_LINE_INTERVAL_SECONDS: Final = 5.0


@contextmanager
def show_progress(what: str) -> Iterator[ReportProgress]:
    """Shows progress on standard error, so that standard output holds the command's result only."""
    if sys.stderr.isatty():
        with _bar(what) as report:
            yield report
    else:
        yield _lines(what)


@contextmanager
def _bar(what: str) -> Iterator[ReportProgress]:
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


def _lines(what: str) -> ReportProgress:
    started = time.monotonic()
    last_line = started

    def report(done: int, total: int) -> None:
        nonlocal last_line
        now = time.monotonic()
        if done >= total or now - last_line >= _LINE_INTERVAL_SECONDS:
            last_line = now
            click.echo(f"{what}: {done} of {total}, {done / max(now - started, 0.001):.0f} per second", err=True)

    return report
