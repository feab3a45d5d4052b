"""Exports as jobs: each chunk adds a page to a file, and the file ends where the job says it does."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from crm.errors import ErrorCode, InputError
from crm.exporting import columns, prefetch, snapshots
from crm.files import writers, xlsx_writer
from crm.files.job_files import made
from crm.jobs import submit, targets
from crm.jobs.handlers import Item, Result, Task, verb
from crm.references import nobody
from crm.unit_of_work import UnitOfWork
from db.engine import Session
from db.rows import Row
from db.tables.enums import FileFormat, JobKind, Outcome, Permission
from db.values import ids


async def export(
    unit: UnitOfWork,
    target: Mapping[str, Any],
    format: FileFormat,
    wanted: Sequence[Mapping[str, Any]] | None,
    options: Mapping[str, Any],
) -> Row:
    """The job that writes the customers of a target, which may be all. Raises InputError and its like."""
    submit.allow(unit, JobKind.EXPORT)
    chosen = await columns.choose(unit.transaction, wanted, ("columns",))
    found = await targets.find(unit, target, unbounded_too=True)
    arguments = {
        "format": int(format),
        "columns": [{"field": one.column.key, "header": one.header} for one in chosen],
        "bom": bool(options.get("bom")),
        "file": ids.new_id().hex(),
    }
    label = submit.options({"label": options.get("label")})
    if found.match is None:
        return await submit.start(unit, JobKind.EXPORT, arguments, found, label)
    if format is FileFormat.XLSX and found.count > xlsx_writer.MOST_ROWS:
        message = f"A sheet has room for {xlsx_writer.MOST_ROWS} customers; these are {found.count}. Choose CSV."
        raise InputError(ErrorCode.LIMIT_EXCEEDED, message, ("format",))
    # Whom it is about is kept by the worker that begins: so many ids take longer than an answer may.
    job = await submit.write(unit, JobKind.EXPORT, arguments, found.target, label, matched=found.count)
    return submit.later(unit, job)


async def following(unit: UnitOfWork, task: Task, after: int, size: int) -> Sequence[Item]:
    """The customers of the page that was made ready."""
    if "ids" not in task.job.target:
        task.job.matched = snapshots.count(prefetch.ids_of(unit.transaction, task))
    page = prefetch.written(task)
    return await prefetch.following(unit.transaction, task, after + 1, size) if page is None else page.rows


async def finish(session: Session, task: Task) -> list[Row]:
    """The file as it is handed out."""
    arguments = task.arguments
    format = FileFormat(arguments["format"])
    headers = [one["header"] for one in arguments["columns"]]
    relative, path = prefetch.place(session, task)
    await asyncio.to_thread(lambda: prefetch.writer_of(session, task, headers).close())
    prefetch.forget(task.job.id)
    for left in path.parent.glob(f"{path.name}.*"):
        left.unlink(missing_ok=True)
    day = datetime.fromtimestamp(task.job.created_at / 1000, UTC).date().isoformat()
    identifier = bytes.fromhex(arguments["file"])
    return [made(task.job, identifier, f"customers {day}{writers.suffix(format)}", format, relative, path)]


@verb(
    JobKind.EXPORT, Permission.CUSTOMER_EXPORT, undoable=False, read=following, finish=finish, ahead=prefetch.make,
    silent=True,
)  # fmt: skip
async def write(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """Counts a page that is in the file, or writes it now."""
    page = prefetch.written(task)
    if page is not None and page.rows is items:
        missing, task.state["file"] = page.missing, page.state
    else:
        chosen = await columns.choose(unit.transaction, task.arguments["columns"], ("columns",))
        read = await prefetch.page_of(unit.transaction, [one.id for one in items], unit.viewer.visibility, chosen)
        assert read is not None
        task.state["file"] = await asyncio.to_thread(prefetch.write, unit.transaction, task, chosen, read)
        missing = prefetch.missing(items, read)
    failed = [
        Result(one.row, one.id, Outcome.FAILED, [nobody({"id": task.named(one)}, task.path(one))]) for one in missing
    ]
    # Of those who are in the file nothing is kept but their number.
    return [*failed, *[_EXPORTED] * (len(items) - len(failed))]


_EXPORTED: Final = Result(-1, None, Outcome.UNCHANGED)
