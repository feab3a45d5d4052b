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
from crm.files.job_files import KIND, made
from crm.files.tables import Table
from crm.importing import mapping
from crm.importing.cells import Habits
from crm.importing.failed_rows import FailedRows
from crm.importing.mapping import Fields
from crm.importing.matching import ImportMatch, Matching
from crm.importing.rows import OnDuplicate, Plan, bring
from crm.jobs import submit
from crm.jobs.handlers import Item, Result, Task, verb
from crm.jobs.targets import AT_ONCE, Found
from crm.unit_of_work import UnitOfWork
from db import tables
from db.drivers import planner_statistics
from db.engine import Session
from db.queries import jobs
from db.rows import Row
from db.tables.enums import CustomerStage, FileFormat, JobKind, Outcome, Permission
from db.values import ids

_PAGE: Final = 1_000

FILLED: Final = (
    tables.Customer,
    tables.CustomerEmail,
    tables.CustomerPhone,
    tables.CustomerExternalId,
    tables.CustomerTag,
)
"""The tables that rows of a file go to, and in which those behind them are looked for."""


# ── beginning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


Looked = tuple[str, Table, int, Fields]
"""An upload's place, what it is, how many rows it has, and their fields."""


async def look(session: Session, viewer: Viewer, given: Mapping[str, Any]) -> Looked | InputError | InputErrors:
    """What there is to import; or what is wrong, which `begin` raises, so that it is kept under an idempotency key."""
    try:
        return await _looked(session, viewer, given)
    except (InputError, InputErrors) as refused:
        return refused


async def _looked(session: Session, viewer: Viewer, given: Mapping[str, Any]) -> Looked:
    upload, path = await uploads.find(session, viewer, given["upload"])
    try:
        table = await asyncio.to_thread(files.look, path, given.get("format"))
        count = await asyncio.to_thread(_count, table)
    except Unreadable as unreadable:
        raise InputError(ErrorCode.INVALID, str(unreadable), ("input", "upload")) from None
    known, path_ = await file_columns.of_customers(session), ("input", "mapping")
    wanted = given.get("mapping")
    habits = Habits()
    if wanted is None:
        return upload.path, table, count, mapping.suggested(table.headers, known, habits)
    return upload.path, table, count, mapping.chosen(table.headers, wanted, known, habits, path_)


def _count(table: Table) -> int:
    rows: Any = table.rows()
    with closing(rows):
        return sum(1 for _ in rows)


async def begin(
    unit: UnitOfWork,
    given: Mapping[str, Any],
    looked: Looked | InputError | InputErrors,
    options: Mapping[str, Any] | None,
) -> Row:
    """The job that brings the rows in. Raises InputError and its like."""
    submit.allow(unit, JobKind.IMPORT)
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
    wanted = submit.options(options)
    submit.bounded(unit, wanted, count)
    if count <= AT_ONCE:
        found = Found({}, [Item(row, b"") for row in range(count)])
        return await submit.start(unit, JobKind.IMPORT, arguments, found, wanted)
    return submit.later(unit, await submit.write(unit, JobKind.IMPORT, arguments, None, wanted, matched=count))


def _system(on: ImportMatch, fields: Fields) -> str | None:
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
        self.table = files.look(path, format)
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


async def _rows(session: Session, task: Task, wanted: Sequence[int]) -> dict[int, list[str]]:
    """Raises InputError where the file is not there any more, or cannot be read on."""
    path = storage.of(session.database).path(task.arguments["file"])
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


async def following(unit: UnitOfWork, task: Task, after: int, size: int) -> Sequence[Item]:
    """The next rows of the file."""
    return [Item(number, b"") for number in await _rows(unit.transaction, task, range(after + 1, after + 1 + size))]


# ── bringing in ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def finish(session: Session, task: Task) -> list[Row]:
    """The file of the failed rows, where there are any: those that are known, where it was cancelled before its end."""
    job = task.job
    opened = _OPEN.pop(job.id, None)
    if opened is not None:
        opened.close()
    if not job.counts.get(Outcome.FAILED.name):
        return []
    identifier = job.id if job.retry_of else bytes.fromhex(task.arguments["failed"])
    kept = storage.of(session.database)
    relative, path = kept.room(KIND, identifier)
    format = FileFormat(task.arguments["format"])
    try:
        table = await asyncio.to_thread(files.look, kept.path(task.arguments["file"]), format)
        file = FailedRows(path, table)
        after = -1
        while rows := await jobs.apart(session, job.id, after, _PAGE, [int(Outcome.FAILED)]):
            reasons = {row.row: " ".join(one["message"] for one in row.errors or ()) for row in rows}
            await asyncio.to_thread(file.add, reasons)
            after = rows[-1].row
        await asyncio.to_thread(file.close)
    except (FileNotFoundError, Unreadable):
        return []
    return [made(job, identifier, f"failed rows{writers.suffix(format)}", format, relative, path)]


async def get_ready(session: Session, viewer: Viewer, task: Task, size: int) -> None:
    """A file fills a workspace faster than the database notices by itself."""
    opened, done = _OPEN.get(task.job.id), task.job.processed
    if opened is not None and done >= 4 * opened.known and await planner_statistics.keep_up(session, FILLED, done):
        opened.known = done


@verb(
    JobKind.IMPORT, Permission.CUSTOMER_IMPORT, read=following, finish=finish, finish_cancelled=True, ahead=get_ready
)  # fmt: skip
async def run(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """Brings a chunk of rows in."""
    if not items:
        return []
    found = await _rows(unit.transaction, task, [one.row for one in items])
    plan = await _plan(unit, task, _OPEN[task.job.id].table)
    brought = await bring(unit, plan, [(one.row, found[one.row]) for one in items])
    return [Result(one.row, one.id, one.outcome, one.refused) for one in brought]


async def _plan(unit: UnitOfWork, task: Task, table: Table) -> Plan:
    arguments, settings = task.arguments, await unit.settings()
    habits = Habits(settings.default_country == "US", settings.timezone)
    known = await file_columns.of_customers(unit.transaction)
    fields = mapping.chosen(table.headers, arguments["mapping"], known, habits, ("input", "mapping"))
    return Plan(
        fields,
        Matching(ImportMatch(arguments["match_on"]), arguments["system"], settings.default_country),
        OnDuplicate(arguments["on_duplicate"]),
        CustomerStage(arguments["stage"]),
        arguments["add_tags"],
    )
