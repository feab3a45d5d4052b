"""The worker's log lines about a job: its progress from time to time, and its end."""

import logging
import time
from typing import Any, Final

from db.tables.enums import JobKind, JobStatus

LOG_INTERVAL_SECONDS: Final = 10.0
"""Seconds between two progress lines of one job."""

_log = logging.getLogger("clientela.jobs")


class ProgressLog:
    """The log of one job, for the time that this worker works on it."""

    def __init__(self) -> None:
        self._started_at = self._logged_at = time.monotonic()
        self._first: int | None = None

    def log_progress(self, job: Any) -> None:
        """Logs the progress between two chunks, at most once per interval."""
        if self._first is None:
            self._first = job.processed
        now = time.monotonic()
        if now - self._logged_at >= LOG_INTERVAL_SECONDS:
            self._logged_at = now
            _log.info(
                "%s: %d of %d rows, %.0f per second", _job_name(job), job.processed, job.matched, self._speed(job)
            )

    def log_end(self, job: Any) -> None:
        """Logs the end of the job. Logs nothing if the job is missing or has not ended."""
        if job is None or job.finished_at is None:
            return
        counts = ", ".join(f"{outcome.lower()} {count}" for outcome, count in sorted((job.counts or {}).items()))
        seconds = (job.finished_at - (job.started_at or job.finished_at)) / 1000
        _log.info("%s: %s after %.1f seconds; %s", _job_name(job), _status(job), seconds, counts or "no rows")

    def _speed(self, job: Any) -> float:
        processed: int = job.processed - (self._first or 0)
        return processed / max(time.monotonic() - self._started_at, 0.001)


def _job_name(job: Any) -> str:
    return f"job {job.id.hex()} ({JobKind(job.kind).name.lower()})"


def _status(job: Any) -> str:
    return JobStatus(job.status).name.lower().replace("_", " ")
