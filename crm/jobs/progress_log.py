"""What a worker's log says of a job: how far it is, now and then, and how it ended. One line each."""

import logging
import time
from typing import Any, Final

from db.tables.enums import JobKind, JobStatus

LOG_INTERVAL_SECONDS: Final = 10.0
"""Seconds between two lines of one job."""

_log = logging.getLogger("clientela.jobs")


class ProgressLog:
    """Of one job, for as long as this worker works on it."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()
        self._first: int | None = None

    def log_progress(self, job: Any) -> None:
        """The job as it is between two chunks."""
        if self._first is None:
            self._first = job.processed
        now = time.monotonic()
        if now - self._said >= LOG_INTERVAL_SECONDS:
            self._said = now
            _log.info("%s: %d of %d rows, %.0f a second", _named(job), job.processed, job.matched, self._speed(job))

    def log_end(self, job: Any) -> None:
        """The job as this worker leaves it; None where it is not there any more."""
        if job is None or job.finished_at is None:
            return
        counts = ", ".join(f"{outcome.lower()} {count}" for outcome, count in sorted((job.counts or {}).items()))
        seconds = (job.finished_at - (job.started_at or job.finished_at)) / 1000
        _log.info("%s: %s after %.1f seconds; %s", _named(job), _status(job), seconds, counts or "no rows")

    def _speed(self, job: Any) -> float:
        done: int = job.processed - (self._first or 0)
        return done / max(time.monotonic() - self._began, 0.001)


def _named(job: Any) -> str:
    return f"job {job.id.hex()} ({JobKind(job.kind).name.lower()})"


def _status(job: Any) -> str:
    return JobStatus(job.status).name.lower().replace("_", " ")
