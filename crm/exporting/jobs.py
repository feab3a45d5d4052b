"""Exports as jobs: each chunk adds to a file what was read, and the file ends where the job says it does."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from crm.acting import Act
from crm.errors import ErrorCode, Refused
from crm.exporting import columns, pages
from crm.files import storage, writing
from crm.files.made import made
from crm.files.writing import Workbook
from crm.jobs import beginning, targets
from crm.jobs.verbs import Item, Result, Task, verb
from crm.references import nobody
from db import ids
from db.engine import Session
from db.rows import Row
from db.tables.enums import FileFormat, JobKind, Outcome, Permission

KIND: Final = "made"

_BATCH: Final = 500


async def export(
    act: Act,
    target: Mapping[str, Any],
    format: FileFormat,
    wanted: Sequence[Mapping[str, Any]] | None,
    options: Mapping[str, Any],
) -> Row:
    """The job that writes the customers of a target, which may be all. Raises Refused and its like."""
    beginning.allow(act, JobKind.EXPORT)
    chosen = await columns.choose(act.work, wanted, ("columns",))
    found = await targets.find(act, target, unbounded_too=True)
    arguments = {
        "format": int(format),
        "columns": [{"field": one.column.key, "header": one.header} for one in chosen],
        "bom": bool(options.get("bom")),
        "file": ids.new().hex(),
        "timezone": (await act.settings()).timezone,
    }
    job = await beginning.start(
        act, JobKind.EXPORT, arguments, found, beginning.options({"label": options.get("label")})
    )
    if format is FileFormat.XLSX and job.matched > writing.MOST_ROWS:
        message = f"A sheet has room for {writing.MOST_ROWS} customers; these are {job.matched}. Choose CSV."
        raise Refused(ErrorCode.LIMIT_EXCEEDED, message, ("format",))
    return job


async def finish(session: Session, task: Task) -> list[Row]:
    """The file as it is handed out."""
    arguments = task.arguments
    format = FileFormat(arguments["format"])
    relative, path = _place(session, task)
    headers = [one["header"] for one in arguments["columns"]]
    await asyncio.to_thread(_end, path, format, headers, task.state.get("bytes", 0), arguments["bom"])
    day = datetime.fromtimestamp(task.job.created_at / 1000, UTC).date().isoformat()
    identifier = bytes.fromhex(arguments["file"])
    return [made(task.job, identifier, f"customers {day}{writing.suffix(format)}", format, relative, path)]


@verb(JobKind.EXPORT, Permission.CUSTOMER_EXPORT, undoable=False, finish=finish, silent=True)
async def write(act: Act, task: Task, items: Sequence[Item]) -> list[Result]:
    """Adds a chunk to the file. One that is undone leaves bytes behind that the next one writes over."""
    format = FileFormat(task.arguments["format"])
    chosen = await columns.choose(act.work, task.arguments["columns"], ("columns",))
    found = await pages.read(act.work, [one.id for one in items if one.id], act.viewer.sight, chosen)
    rows = [found[one.id] for one in items if one.id in found]
    headers = [one.header for one in chosen]
    _, path = _place(act.work, task)
    begin = b""
    if "bytes" not in task.state:
        begin = _begin(format, headers, task.arguments["bom"])
    task.state["bytes"] = await asyncio.to_thread(_add, path, task.state.get("bytes", 0), begin, format, headers, rows)
    return [
        Result(one.row, one.id, Outcome.UNCHANGED)
        if one.id in found
        else Result(one.row, one.id, Outcome.FAILED, [nobody({"id": task.named(one)}, task.path(one))])
        for one in items
    ]


def _place(session: Session, task: Task) -> tuple[str, Path]:
    return storage.of(session.database).room(KIND, bytes.fromhex(task.arguments["file"]))


def _begin(format: FileFormat, headers: Sequence[str], bom: bool) -> bytes:
    if format is not FileFormat.CSV:
        return b""
    return (b"\xef\xbb\xbf" if bom else b"") + writing.delimited([headers])


def _add(path: Path, length: int, begin: bytes, format: FileFormat, headers: Sequence[str], rows: Sequence[Any]) -> int:
    """Writes behind the first `length` bytes; returns how many there are now. Of a workbook the rows wait as JSON."""
    if format is FileFormat.CSV:
        written = writing.delimited(rows)
    elif format is FileFormat.JSONL:
        written = writing.lines(headers, rows)
    else:
        written = b"".join(orjson.dumps([writing.text(cell) for cell in row]) + b"\n" for row in rows)
    path = _waiting(path) if format is FileFormat.XLSX else path
    with path.open("r+b" if length else "wb") as file:
        file.seek(length)
        file.truncate()
        file.write(begin + written)
        return file.tell()


def _waiting(path: Path) -> Path:
    return path.with_name(path.name + ".rows")


def _end(path: Path, format: FileFormat, headers: Sequence[str], length: int, bom: bool) -> None:
    """Makes the file what it is to be; done again, it is the same."""
    if format is not FileFormat.XLSX:
        if not length:
            path.write_bytes(_begin(format, headers, bom))
        return
    book = Workbook(path)
    book.write([headers])
    if length:
        with _waiting(path).open("rb") as file:
            batch: list[list[str]] = []
            while file.tell() < length:
                batch.append(orjson.loads(file.readline()))
                if len(batch) == _BATCH:
                    book.write(batch)
                    batch = []
            book.write(batch)
    book.close()
    # What waits goes when the job's file does, for the job may have to end once more.
