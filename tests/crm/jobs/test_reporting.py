"""A worker's log says how far a job is, and how it ended."""

import logging

from crm.jobs import progress_log
from crm.jobs.progress_log import ProgressLog
from db.tables.enums import JobKind, JobStatus
from tests.support import factories


def test_a_line_now_and_then_and_one_at_the_end(caplog, monkeypatch):
    caplog.set_level(logging.INFO, "clientela.jobs")
    job = factories.job(kind=JobKind.IMPORT, matched=1_000, processed=0, counts={}, finished_at=None)
    report = ProgressLog()
    report.log_progress(job)
    assert caplog.messages == []
    monkeypatch.setattr(progress_log, "LOG_INTERVAL_SECONDS", 0.0)
    job.processed = 400
    report.log_progress(job)
    assert "(import): 400 of 1000 rows, " in caplog.messages[0]
    report.log_end(job)
    assert len(caplog.messages) == 1
    job.finished_at, job.status, job.counts = 1, int(JobStatus.DONE_WITH_ERRORS), {"CREATED": 990, "FAILED": 10}
    report.log_end(job)
    assert caplog.messages[1].endswith("seconds; created 990, failed 10")
    assert "done with errors after" in caplog.messages[1]
    report.log_end(None)
