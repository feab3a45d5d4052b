"""Export jobs: each chunk appends a page to a file. The job state records where the file ends."""

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
    requested_columns: Sequence[Mapping[str, Any]] | None,
    options: Mapping[str, Any],
) -> Row:
    """Submits a job that exports the customers of a target, which may be all customers. Raises InputError and its
    subclasses."""
    submit.check_may_start(unit, JobKind.EXPORT)
    export_columns = await columns.choose_columns(unit.transaction, requested_columns, ("columns",))
    resolved_target = await targets.resolve_target(targets.reader_of(unit), target, unbounded_too=True)
    arguments = {
        "format": int(format),
        "columns": [
            {"field": export_column.column.key, "header": export_column.header} for export_column in export_columns
        ],
        "bom": bool(options.get("bom")),
        "file": ids.new_id().hex(),
    }
    label = submit.read_options({"label": options.get("label")})
    if resolved_target.listing is None:
        return await submit.submit_job(unit, JobKind.EXPORT, arguments, resolved_target, label)
    if format is FileFormat.XLSX and resolved_target.count > xlsx_writer.MAX_SHEET_ROWS:
        message = (
            f"An XLSX sheet holds at most {xlsx_writer.MAX_SHEET_ROWS} customers, but you selected "
            f"{resolved_target.count}; choose CSV."
        )
        raise InputError(ErrorCode.LIMIT_EXCEEDED, message, ("format",))
    # The worker stores the ids of a large target, because storing them takes longer than a request may.
    job = await submit.insert_job(
        unit, JobKind.EXPORT, arguments, resolved_target.stored_form, label, matched=resolved_target.count
    )
    return submit.queue_job(unit, job)


async def next_items(unit: UnitOfWork, task: JobTask, after: int, size: int) -> Sequence[JobItem]:
    """The customers of the prefetched page."""
    if "ids" not in task.job.target:
        task.job.matched = snapshots.count_ids(prefetch.snapshot_path(unit.transaction, task))
    page = prefetch.take_written(unit.transaction.database, task)
    return await prefetch.next_rows(unit.transaction, task, after + 1, size) if page is None else page.rows


async def finish_export(session: Session, task: JobTask) -> list[Row]:
    """Completes the file and returns its row."""
    arguments = task.arguments
    format = FileFormat(arguments["format"])
    headers = [column["header"] for column in arguments["columns"]]
    relative, path = prefetch.file_path(session, task)
    await asyncio.to_thread(lambda: prefetch.open_writer(session, task, headers).close())
    prefetch.discard_prefetched(session.database, task.job.id)
    for leftover in path.parent.glob(f"{path.name}.*"):
        leftover.unlink(missing_ok=True)
    day = datetime.fromtimestamp(task.job.created_at / 1000, UTC).date().isoformat()
    identifier = bytes.fromhex(arguments["file"])
    return [
        create_job_file(task.job, identifier, f"customers {day}{writers.file_suffix(format)}", format, relative, path)
    ]


@job_handler(
    JobKind.EXPORT, Permission.CUSTOMER_EXPORT, is_undoable=False, read_items=next_items, finish_job=finish_export,
    prepare_chunk=prefetch.write_next_page,
    counts_successes_only=True,
)  # fmt: skip
async def write_rows(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Counts a page that is already in the file, or writes it now."""
    page = prefetch.take_written(unit.transaction.database, task)
    if page is not None and page.rows is items:
        missing, task.state["file"] = page.missing, page.state
    else:
        export_columns = await columns.choose_columns(unit.transaction, task.arguments["columns"], ("columns",))
        export_page = await prefetch.read_page(
            unit.transaction, [item.id for item in items], unit.viewer.visibility, export_columns
        )
        assert export_page is not None
        task.state["file"] = await asyncio.to_thread(
            prefetch.write_page, unit.transaction, task, export_columns, export_page
        )
        missing = prefetch.missing_rows(items, export_page)
    failed = [
        RowResult(
            item.row, item.id, Outcome.FAILED, [customer_not_found({"id": task.id_as_given(item)}, task.path(item))]
        )
        for item in missing
    ]
    # Exported customers are only counted, so no result is stored for them.
    return [*failed, *[_EXPORTED_RESULT] * (len(items) - len(failed))]


_EXPORTED_RESULT: Final = RowResult(-1, None, Outcome.UNCHANGED)
