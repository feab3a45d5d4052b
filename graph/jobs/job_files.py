"""The files that jobs made, and the links to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import strawberry

from crm.files import storage
from db.queries import files
from db.tables.enums import FileFormat
from graph.context import Context
from graph.engine.field_declarations import column
from graph.types.enums import describe_values
from graph.types.scalars import DateTime

describe_values(
    FileFormat,
    "What a file is written in.",
    CSV="Values between commas, or semicolons or tabs; UTF-8 where it is written here.",
    XLSX="A workbook, of which the first sheet counts.",
    JSONL="A JSON object a line.",
)


@strawberry.type(description="A file that a job made.")
class JobFile:
    name: str = column("Its name.")
    format: FileFormat = column("What it is written in.")
    bytes: int = column("Its length in bytes; 2147483647 where it is longer than an Int can tell.")
    url: str = column("Where a plain GET fetches it; relative to the server unless that knows its public address.")
    expires_at: DateTime = column("Until when that works.")


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    format: FileFormat
    bytes: int
    url: str
    expires_at: int


_LONGEST: Final = 2**31 - 1


async def load_job_files(context: Context, jobs: Sequence[Any]) -> list[Any]:
    """The files of each job that have not expired."""
    found = await context.load_many(files.by_job, jobs, "id")
    return [[_shown(context, row) for row in rows if row.expires_at > context.now] for rows in found]


def _shown(context: Context, row: Any) -> _File:
    kept = storage.storage_of(context.database)
    url = kept.link(row.workspace_id, row.id, row.name, row.expires_at)
    return _File(row.name, FileFormat(row.format), min(row.bytes, _LONGEST), url, row.expires_at)
