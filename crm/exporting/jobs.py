"""Exports as jobs: each chunk adds a page to a file, and the file ends where the job says it does."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from crm.errors import ErrorCode, InputError
from crm.exporting import columns, prefetch, snapshots
from crm.files import writers, xlsx_writer
from crm.files.job_files import create_job_file
from crm.jobs import submit, targets
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.references import customer_not_found
from crm.unit_of_work import UnitOfWork
from db.engine import Session
from db.rows import Row
from db.tables.enums import FileFormat, JobKind, Outcome, Permission
from db.values import ids


async def start_export(
    unit: UnitOfWork,
    target: Mapping[str, Any],
    format: FileFormat,
    wanted: Sequence[Mapping[str, Any]] | None,
    options: Mapping[str, Any],
) -> Row:
    """The job that writes the customers of a target, which may be all. Raises InputError and its like."""
    submit.check_may_start(unit, JobKind.EXPORT)
    chosen = await columns.choose_columns(unit.transaction, wanted, ("columns",))
    found = await targets.resolve_target(unit, target, unbounded_too=True)
    arguments = {
        "format": int(format),
        "columns": [{"field": one.column.key, "header": one.header} for one in chosen],
        "bom": bool(options.get("bom")),
        "file": ids.new_id().hex(),
    }
    label = submit.read_options({"label": options.get("label")})
    if found.listing is None:
        return await submit.submit_job(unit, JobKind.EXPORT, arguments, found, label)
    if format is FileFormat.XLSX and found.count > xlsx_writer.MAX_SHEET_ROWS:
        message = f"A sheet has room for {xlsx_writer.MAX_SHEET_ROWS} customers; these are {found.count}. Choose CSV."
        raise InputError(ErrorCode.LIMIT_EXCEEDED, message, ("format",))
    # Whom it is about is kept by the worker that begins: so many ids take longer than an answer may.
    job = await submit.insert_job(unit, JobKind.EXPORT, arguments, found.stored_form, label, matched=found.count)
    return submit.queue_job(unit, job)


async def next_items(unit: UnitOfWork, task: JobTask, after: int, size: int) -> Sequence[JobItem]:
    """The customers of the page that was made ready."""
    if "ids" not in task.job.target:
        task.job.matched = snapshots.count_ids(prefetch.snapshot_path(unit.transaction, task))
    page = prefetch.take_written(task)
    return await prefetch.next_rows(unit.transaction, task, after + 1, size) if page is None else page.rows


async def finish_export(session: Session, task: JobTask) -> list[Row]:
    """The file as it is handed out."""
    arguments = task.arguments
    format = FileFormat(arguments["format"])
    headers = [one["header"] for one in arguments["columns"]]
    relative, path = prefetch.file_path(session, task)
    await asyncio.to_thread(lambda: prefetch.open_writer(session, task, headers).close())
    prefetch.discard_prefetched(task.job.id)
    for left in path.parent.glob(f"{path.name}.*"):
        left.unlink(missing_ok=True)
    day = datetime.fromtimestamp(task.job.created_at / 1000, UTC).date().isoformat()
    identifier = bytes.fromhex(arguments["file"])
    return [
        create_job_file(task.job, identifier, f"customers {day}{writers.file_suffix(format)}", format, relative, path)
    ]


@job_handler(
    JobKind.EXPORT, Permission.CUSTOMER_EXPORT, is_undoable=False, read_items=next_items, finish_job=finish_export, prepare_chunk=prefetch.write_next_page,
    counts_successes_only=True,
)  # fmt: skip
async def write_rows(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Counts a page that is in the file, or writes it now."""
    page = prefetch.take_written(task)
    if page is not None and page.rows is items:
        missing, task.state["file"] = page.missing, page.state
    else:
        chosen = await columns.choose_columns(unit.transaction, task.arguments["columns"], ("columns",))
        read = await prefetch.read_page(unit.transaction, [one.id for one in items], unit.viewer.visibility, chosen)
        assert read is not None
        task.state["file"] = await asyncio.to_thread(prefetch.write_page, unit.transaction, task, chosen, read)
        missing = prefetch.missing_rows(items, read)
    failed = [
        RowResult(one.row, one.id, Outcome.FAILED, [customer_not_found({"id": task.id_as_given(one)}, task.path(one))])
        for one in missing
    ]
    # Of those who are in the file nothing is kept but their number.
    return [*failed, *[_EXPORTED] * (len(items) - len(failed))]


_EXPORTED: Final = RowResult(-1, None, Outcome.UNCHANGED)
