"""Import jobs: each chunk continues reading the file where the last one ended. Failed rows are returned as a file."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from crm.access.permissions import Viewer
from crm.catalogue import file_columns
from crm.errors import ErrorCode, InputError, InputErrors
from crm.files import storage, uploads, writers
from crm.files import tables as files
from crm.files.errors import Unreadable
from crm.files.job_files import FILE_ID_KIND, create_job_file
from crm.files.tables import Table
from crm.importing import mapping
from crm.importing.cells import CellFormat
from crm.importing.failed_rows import FailedRowsFile
from crm.importing.mapping import FieldMapping
from crm.importing.matching import ImportMatch, MatchKey
from crm.importing.rows import ImportPlan, OnDuplicate, import_rows
from crm.jobs import submit
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.jobs.targets import MAX_INLINE_CUSTOMERS, Target
from crm.unit_of_work import UnitOfWork
from db import tables
from db.drivers import planner_statistics
from db.engine import Database, Session
from db.queries import jobs
from db.rows import Row
from db.tables.enums import CustomerStage, FileFormat, JobKind, Outcome, Permission
from db.values import ids

_ROWS_PER_PAGE: Final = 1_000

MAX_FILLED_ROWS: Final = (
    tables.Customer,
    tables.CustomerEmail,
    tables.CustomerPhone,
    tables.CustomerExternalId,
    tables.CustomerTag,
)
"""The tables that an import fills and that later rows are matched against."""


# ── submitting ────────────────────────────────────────────────────────────────────────────────────────────────────────


ImportRequest = tuple[str, Table, int, FieldMapping]
"""The path of an upload, its table, its number of rows and their fields."""


async def read_request(
    session: Session, viewer: Viewer, data: Mapping[str, Any]
) -> ImportRequest | InputError | InputErrors:
    """Reads the file to import. Returns errors instead of raising them, so that `start_import` raises them under an
    idempotency key."""
    try:
        return await _open_request(session, viewer, data)
    except (InputError, InputErrors) as error:
        return error


async def _open_request(session: Session, viewer: Viewer, data: Mapping[str, Any]) -> ImportRequest:
    upload, path = await uploads.find_upload(session, viewer, data["upload"])
    try:
        table = await asyncio.to_thread(files.open_table, path, data.get("format"))
        count = await asyncio.to_thread(_count_rows, table)
    except Unreadable as error:
        raise InputError(ErrorCode.INVALID, str(error), ("input", "upload")) from None
    known_columns, mapping_path = await file_columns.customer_columns(session), ("input", "mapping")
    requested_mapping = data.get("mapping")
    cell_format = CellFormat()
    if requested_mapping is None:
        return upload.path, table, count, mapping.suggest_mapping(table.headers, known_columns, cell_format)
    return (
        upload.path,
        table,
        count,
        mapping.check_mapping(table.headers, requested_mapping, known_columns, cell_format, mapping_path),
    )


def _count_rows(table: Table) -> int:
    rows: Any = table.rows()
    with closing(rows):
        return sum(1 for _ in rows)


async def start_import(
    unit: UnitOfWork,
    data: Mapping[str, Any],
    request: ImportRequest | InputError | InputErrors,
    options: Mapping[str, Any] | None,
) -> Row:
    """Submits the job that imports the rows. Raises InputError and its subclasses."""
    submit.check_may_start(unit, JobKind.IMPORT)
    if isinstance(request, InputError | InputErrors):
        raise request
    relative, table, count, fields = request
    stage = CustomerStage(data["stage"])
    if stage not in (CustomerStage.NEW, CustomerStage.TO_BE_ASSIGNED):
        message = f"Imported customers cannot start in {stage.name}; choose NEW or TO_BE_ASSIGNED."
        raise InputError(ErrorCode.INVALID, message, ("input", "stage"))
    arguments = {
        "file": relative,
        "failed": ids.new_id().hex(),
        "format": int(table.format),
        "mapping": [{"header": table.headers[index], "field": column.key} for index, column in fields.fields.items()],
        "match_on": int(data["match_on"]),
        "system": _matching_system(ImportMatch(data["match_on"]), fields),
        "on_duplicate": int(data["on_duplicate"]),
        "stage": int(stage),
        "add_tags": list(data.get("add_tags") or ()),
    }
    options_read = submit.read_options(options)
    submit.check_all_or_nothing_size(unit, options_read, count)
    if count <= MAX_INLINE_CUSTOMERS:
        target = Target({}, [JobItem(row, b"") for row in range(count)])
        return await submit.submit_job(unit, JobKind.IMPORT, arguments, target, options_read)
    return submit.queue_job(
        unit, await submit.insert_job(unit, JobKind.IMPORT, arguments, None, options_read, matched=count)
    )


def _matching_system(match: ImportMatch, fields: FieldMapping) -> str | None:
    """The external system whose ids match the rows."""
    if match is not ImportMatch.EXTERNAL_ID:
        return None
    systems = [column.system for column in fields.fields.values() if column.system is not None]
    if len(systems) != 1:
        subject = "No column is" if not systems else f"{len(systems)} columns are"
        message = (
            f"{subject} mapped to ids of another system; to match by such ids, map exactly one column to "
            "externalId.<system>."
        )
        raise InputError(ErrorCode.INVALID, message, ("input", "matchOn"))
    return systems[0]


# ── reading the file ──────────────────────────────────────────────────────────────────────────────────────────────────


class _OpenFile:
    """A file that is being read. Rows are cached until the job has passed them, because a transaction may run again."""

    def __init__(self, path: Path, format: FileFormat) -> None:
        self.table = files.open_table(path, format)
        self._rows: Any = None
        self._next = 0
        self._cached_rows: dict[int, list[str]] = {}
        self.analyzed_rows = 0
        """Rows that were processed when the database last updated its statistics."""

    def rows(self, numbers: Sequence[int]) -> dict[int, list[str]]:
        """The existing rows with these numbers, which must be in ascending order."""
        first, number_set = numbers[0], frozenset(numbers)
        self._cached_rows = {number: row for number, row in self._cached_rows.items() if number >= first}
        if self._rows is None or any(number < self._next and number not in self._cached_rows for number in numbers):
            self.close()
            self._rows, self._next, self._cached_rows = self.table.rows(first), first, {}
        for number, row in enumerate(islice(self._rows, max(0, numbers[-1] + 1 - self._next)), self._next):
            self._next = number + 1
            if number in number_set:
                self._cached_rows[number] = row
        return {number: self._cached_rows[number] for number in numbers if number in self._cached_rows}

    def close(self) -> None:
        if self._rows is not None and hasattr(self._rows, "close"):
            self._rows.close()
        self._rows = None


class _OpenFiles(dict[bytes, _OpenFile]):
    """The files that the workers of this process are reading, by job id."""


_MAX_OPEN_FILES: Final = 4


async def _load_rows(session: Session, task: JobTask, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Reads rows of the job's file. Raises InputError if the file no longer exists or cannot be read."""
    path = storage.storage_of(session.database).path(task.arguments["file"])
    try:
        return await asyncio.to_thread(
            _read_rows, session.database, task.job.id, path, FileFormat(task.arguments["format"]), numbers
        )
    except FileNotFoundError:
        raise InputError(
            ErrorCode.NOT_FOUND, "The uploaded file no longer exists; upload it again.", ("input", "upload")
        ) from None
    except Unreadable as error:
        raise InputError(ErrorCode.INVALID, str(error), ("input", "upload")) from None


def _read_rows(
    database: Database, job: bytes, path: Path, format: FileFormat, numbers: Sequence[int]
) -> dict[int, list[str]]:
    open_files = database.component(_OpenFiles)
    open_file = open_files.pop(job, None) or _OpenFile(path, format)
    open_files[job] = open_file
    while len(open_files) > _MAX_OPEN_FILES:
        open_files.pop(next(iter(open_files))).close()
    return open_file.rows(numbers)


async def next_items(unit: UnitOfWork, task: JobTask, after: int, size: int) -> Sequence[JobItem]:
    """The next rows of the file."""
    return [
        JobItem(number, b"") for number in await _load_rows(unit.transaction, task, range(after + 1, after + 1 + size))
    ]


# ── running ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def finish_import(session: Session, task: JobTask) -> list[Row]:
    """Creates the file of the failed rows if there are any. A cancelled job gets those that failed before its end."""
    job = task.job
    open_file = session.database.component(_OpenFiles).pop(job.id, None)
    if open_file is not None:
        open_file.close()
    if not job.counts.get(Outcome.FAILED.name):
        return []
    identifier = job.id if job.retry_of else bytes.fromhex(task.arguments["failed"])
    file_storage = storage.storage_of(session.database)
    relative, path = file_storage.new_path(FILE_ID_KIND, identifier)
    format = FileFormat(task.arguments["format"])
    try:
        table = await asyncio.to_thread(files.open_table, file_storage.path(task.arguments["file"]), format)
        file = FailedRowsFile(path, table)
        after = -1
        while rows := await jobs.stored_rows(session, job.id, after, _ROWS_PER_PAGE, [int(Outcome.FAILED)]):
            reasons = {row.row: " ".join(error["message"] for error in row.errors or ()) for row in rows}
            await asyncio.to_thread(file.add, reasons)
            after = rows[-1].row
        await asyncio.to_thread(file.close)
    except (FileNotFoundError, Unreadable):
        return []
    return [create_job_file(job, identifier, f"failed rows{writers.file_suffix(format)}", format, relative, path)]


async def read_ahead(session: Session, viewer: Viewer, task: JobTask, size: int) -> None:
    """Updates the planner statistics when needed: an import fills a workspace faster than the database updates them
    itself."""
    open_file, processed = session.database.component(_OpenFiles).get(task.job.id), task.job.processed
    if (
        open_file is not None
        and processed >= 4 * open_file.analyzed_rows
        and await planner_statistics.analyze_if_outdated(session, MAX_FILLED_ROWS, processed)
    ):
        open_file.analyzed_rows = processed


@job_handler(
    JobKind.IMPORT, Permission.CUSTOMER_IMPORT, read_items=next_items, finish_job=finish_import,
    finishes_when_cancelled=True, prepare_chunk=read_ahead,
)  # fmt: skip
async def run_chunk(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Imports a chunk of rows."""
    if not items:
        return []
    rows_by_number = await _load_rows(unit.transaction, task, [item.row for item in items])
    plan = await _build_plan(unit, task, unit.transaction.database.component(_OpenFiles)[task.job.id].table)
    imported = await import_rows(unit, plan, [(item.row, rows_by_number[item.row]) for item in items])
    return [RowResult(item.row, item.id, item.outcome, item.errors) for item in imported]


async def _build_plan(unit: UnitOfWork, task: JobTask, table: Table) -> ImportPlan:
    arguments, settings = task.arguments, await unit.settings()
    cell_format = CellFormat(settings.default_country == "US", settings.timezone)
    known_columns = await file_columns.customer_columns(unit.transaction)
    fields = mapping.check_mapping(
        table.headers, arguments["mapping"], known_columns, cell_format, ("input", "mapping")
    )
    return ImportPlan(
        fields,
        MatchKey(ImportMatch(arguments["match_on"]), arguments["system"], settings.default_country),
        OnDuplicate(arguments["on_duplicate"]),
        CustomerStage(arguments["stage"]),
        arguments["add_tags"],
    )
