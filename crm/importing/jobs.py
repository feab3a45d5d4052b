"""Imports as jobs: a file is read on from where the last chunk ended, and what failed is given back as a file."""

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
from db.engine import Session
from db.queries import jobs
from db.rows import Row
from db.tables.enums import CustomerStage, FileFormat, JobKind, Outcome, Permission
from db.values import ids

_PAGE: Final = 1_000

MAX_FILLED_ROWS: Final = (
    tables.Customer,
    tables.CustomerEmail,
    tables.CustomerPhone,
    tables.CustomerExternalId,
    tables.CustomerTag,
)
"""The tables that rows of a file go to, and in which those behind them are looked for."""


# ── beginning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


ImportRequest = tuple[str, Table, int, FieldMapping]
"""An upload's place, what it is, how many rows it has, and their fields."""


async def read_request(
    session: Session, viewer: Viewer, given: Mapping[str, Any]
) -> ImportRequest | InputError | InputErrors:
    """What there is to import; or what is wrong, which `begin` raises, so that it is kept under an idempotency key."""
    try:
        return await _looked(session, viewer, given)
    except (InputError, InputErrors) as refused:
        return refused


async def _looked(session: Session, viewer: Viewer, given: Mapping[str, Any]) -> ImportRequest:
    upload, path = await uploads.find_upload(session, viewer, given["upload"])
    try:
        table = await asyncio.to_thread(files.open_table, path, given.get("format"))
        count = await asyncio.to_thread(_count, table)
    except Unreadable as unreadable:
        raise InputError(ErrorCode.INVALID, str(unreadable), ("input", "upload")) from None
    known, path_ = await file_columns.customer_columns(session), ("input", "mapping")
    wanted = given.get("mapping")
    habits = CellFormat()
    if wanted is None:
        return upload.path, table, count, mapping.suggest_mapping(table.headers, known, habits)
    return upload.path, table, count, mapping.check_mapping(table.headers, wanted, known, habits, path_)


def _count(table: Table) -> int:
    rows: Any = table.rows()
    with closing(rows):
        return sum(1 for _ in rows)


async def start_import(
    unit: UnitOfWork,
    given: Mapping[str, Any],
    looked: ImportRequest | InputError | InputErrors,
    options: Mapping[str, Any] | None,
) -> Row:
    """The job that brings the rows in. Raises InputError and its like."""
    submit.check_may_start(unit, JobKind.IMPORT)
    if isinstance(looked, InputError | InputErrors):
        raise looked
    relative, table, count, fields = looked
    stage = CustomerStage(given["stage"])
    if stage not in (CustomerStage.NEW, CustomerStage.TO_BE_ASSIGNED):
        message = f"Customers who are imported cannot start in {stage.name}; choose NEW or TO_BE_ASSIGNED."
        raise InputError(ErrorCode.INVALID, message, ("input", "stage"))
    arguments = {
        "file": relative,
        "failed": ids.new_id().hex(),
        "format": int(table.format),
        "mapping": [{"header": table.headers[place], "field": one.key} for place, one in fields.fields.items()],
        "match_on": int(given["match_on"]),
        "system": _system(ImportMatch(given["match_on"]), fields),
        "on_duplicate": int(given["on_duplicate"]),
        "stage": int(stage),
        "add_tags": list(given.get("add_tags") or ()),
    }
    wanted = submit.read_options(options)
    submit.check_all_or_nothing_size(unit, wanted, count)
    if count <= MAX_INLINE_CUSTOMERS:
        found = Target({}, [JobItem(row, b"") for row in range(count)])
        return await submit.submit_job(unit, JobKind.IMPORT, arguments, found, wanted)
    return submit.queue_job(unit, await submit.insert_job(unit, JobKind.IMPORT, arguments, None, wanted, matched=count))


def _system(on: ImportMatch, fields: FieldMapping) -> str | None:
    """Whose ids the rows are matched by."""
    if on is not ImportMatch.EXTERNAL_ID:
        return None
    systems = [one.system for one in fields.fields.values() if one.system is not None]
    if len(systems) != 1:
        what = "No column is" if not systems else f"{len(systems)} columns are"
        message = f"{what} mapped to ids of another system; map one to externalId.<system> to match by it."
        raise InputError(ErrorCode.INVALID, message, ("input", "matchOn"))
    return systems[0]


# ── reading on ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Open:
    """A file that is being read. What was read is kept until the job is beyond it: a transaction may run again."""

    def __init__(self, path: Path, format: FileFormat) -> None:
        self.table = files.open_table(path, format)
        self._rows: Any = None
        self._next = 0
        self._held: dict[int, list[str]] = {}
        self.known = 0
        """Rows that were done when the database last looked what it holds."""

    def rows(self, wanted: Sequence[int]) -> dict[int, list[str]]:
        """Those of the rows of these numbers, in order, that there are."""
        first, chosen = wanted[0], frozenset(wanted)
        self._held = {number: row for number, row in self._held.items() if number >= first}
        if self._rows is None or any(number < self._next and number not in self._held for number in wanted):
            self.close()
            self._rows, self._next, self._held = self.table.rows(first), first, {}
        for number, row in enumerate(islice(self._rows, max(0, wanted[-1] + 1 - self._next)), self._next):
            self._next = number + 1
            if number in chosen:
                self._held[number] = row
        return {number: self._held[number] for number in wanted if number in self._held}

    def close(self) -> None:
        if self._rows is not None and hasattr(self._rows, "close"):
            self._rows.close()
        self._rows = None


_OPEN: dict[bytes, _Open] = {}
_MOST_OPEN: Final = 4


async def _rows(session: Session, task: JobTask, wanted: Sequence[int]) -> dict[int, list[str]]:
    """Raises InputError where the file is not there any more, or cannot be read on."""
    path = storage.storage_of(session.database).path(task.arguments["file"])
    try:
        return await asyncio.to_thread(_read, task.job.id, path, FileFormat(task.arguments["format"]), wanted)
    except FileNotFoundError:
        raise InputError(ErrorCode.NOT_FOUND, "The file is not there any more.", ("input", "upload")) from None
    except Unreadable as unreadable:
        raise InputError(ErrorCode.INVALID, str(unreadable), ("input", "upload")) from None


def _read(job: bytes, path: Path, format: FileFormat, wanted: Sequence[int]) -> dict[int, list[str]]:
    found = _OPEN.pop(job, None) or _Open(path, format)
    _OPEN[job] = found
    while len(_OPEN) > _MOST_OPEN:
        _OPEN.pop(next(iter(_OPEN))).close()
    return found.rows(wanted)


async def next_items(unit: UnitOfWork, task: JobTask, after: int, size: int) -> Sequence[JobItem]:
    """The next rows of the file."""
    return [JobItem(number, b"") for number in await _rows(unit.transaction, task, range(after + 1, after + 1 + size))]


# ── bringing in ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def finish_import(session: Session, task: JobTask) -> list[Row]:
    """The file of the failed rows, where there are any: those that are known, where it was cancelled before its end."""
    job = task.job
    opened = _OPEN.pop(job.id, None)
    if opened is not None:
        opened.close()
    if not job.counts.get(Outcome.FAILED.name):
        return []
    identifier = job.id if job.retry_of else bytes.fromhex(task.arguments["failed"])
    kept = storage.storage_of(session.database)
    relative, path = kept.new_path(FILE_ID_KIND, identifier)
    format = FileFormat(task.arguments["format"])
    try:
        table = await asyncio.to_thread(files.open_table, kept.path(task.arguments["file"]), format)
        file = FailedRowsFile(path, table)
        after = -1
        while rows := await jobs.stored_rows(session, job.id, after, _PAGE, [int(Outcome.FAILED)]):
            reasons = {row.row: " ".join(one["message"] for one in row.errors or ()) for row in rows}
            await asyncio.to_thread(file.add, reasons)
            after = rows[-1].row
        await asyncio.to_thread(file.close)
    except (FileNotFoundError, Unreadable):
        return []
    return [create_job_file(job, identifier, f"failed rows{writers.file_suffix(format)}", format, relative, path)]


async def read_ahead(session: Session, viewer: Viewer, task: JobTask, size: int) -> None:
    """A file fills a workspace faster than the database notices by itself."""
    opened, done = _OPEN.get(task.job.id), task.job.processed
    if (
        opened is not None
        and done >= 4 * opened.known
        and await planner_statistics.analyze_if_outdated(session, MAX_FILLED_ROWS, done)
    ):
        opened.known = done


@job_handler(
    JobKind.IMPORT, Permission.CUSTOMER_IMPORT, read_items=next_items, finish_job=finish_import, finishes_when_cancelled=True, prepare_chunk=read_ahead
)  # fmt: skip
async def run_chunk(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Brings a chunk of rows in."""
    if not items:
        return []
    found = await _rows(unit.transaction, task, [one.row for one in items])
    plan = await _plan(unit, task, _OPEN[task.job.id].table)
    brought = await import_rows(unit, plan, [(one.row, found[one.row]) for one in items])
    return [RowResult(one.row, one.id, one.outcome, one.errors) for one in brought]


async def _plan(unit: UnitOfWork, task: JobTask, table: Table) -> ImportPlan:
    arguments, settings = task.arguments, await unit.settings()
    habits = CellFormat(settings.default_country == "US", settings.timezone)
    known = await file_columns.customer_columns(unit.transaction)
    fields = mapping.check_mapping(table.headers, arguments["mapping"], known, habits, ("input", "mapping"))
    return ImportPlan(
        fields,
        MatchKey(ImportMatch(arguments["match_on"]), arguments["system"], settings.default_country),
        OnDuplicate(arguments["on_duplicate"]),
        CustomerStage(arguments["stage"]),
        arguments["add_tags"],
    )
