"""Files of jobs and their links."""

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
    "Format of a file.",
    CSV="Comma-, semicolon- or tab-separated values. Exports are UTF-8 with commas.",
    XLSX="An Excel workbook. Imports read the first sheet.",
    JSONL="One JSON object per line.",
)


@strawberry.type(description="A file that a job has created.")
class JobFile:
    name: str = column("Its name.")
    format: FileFormat = column("Format of the file.")
    bytes: int = column("Size in bytes; 2147483647 if it exceeds an Int.")
    url: str = column(
        "URL for a GET request without a token. It is relative to the server unless CLIENTELA_PUBLIC_URL is set."
    )
    expires_at: DateTime = column("Time when the URL expires.")


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
