"""Preview of a file before its import: the number of rows, the columns and the fields that they seem to contain."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from crm.access.permissions import Viewer
from crm.catalogue import file_columns
from crm.catalogue.file_columns import FileColumn
from crm.errors import BadUserInput, InputError
from crm.files import tables, uploads
from crm.files.errors import Unreadable
from crm.importing import headers
from crm.importing.mapping import IGNORED_COLUMN
from db.engine import Session

MAX_SAMPLES: Final = 5
"""Maximum number of sample values per column and of sample rows per file."""

_MAX_SAMPLE_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class PreviewedColumn:
    """A column of the file. `suggested` is the key of the field that it seems to contain."""

    header: str
    samples: Sequence[str]
    suggested: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class ImportPreview:
    row_count: int
    columns: Sequence[PreviewedColumn]
    sample: Sequence[Mapping[str, str]]


async def preview_import(session: Session, viewer: Viewer, upload: str) -> ImportPreview:
    """Previews an upload. Raises BadUserInput: NOT_FOUND if the upload is not the viewer's, INVALID if the file cannot
    be read."""
    try:
        _, path = await uploads.find_upload(session, viewer, upload)
        known_columns = await file_columns.customer_columns(session)
        return await asyncio.to_thread(_preview, path, known_columns)
    except InputError as error:
        raise BadUserInput(error.code.value, error.message) from None
    except Unreadable as error:
        raise BadUserInput("INVALID", str(error)) from None


def _preview(path: Path, known_columns: Mapping[str, FileColumn]) -> ImportPreview:
    table = tables.open_table(path)
    samples: list[list[str]] = [[] for _ in table.headers]
    first_rows: list[list[str]] = []
    count = 0
    rows: Any = table.rows()
    with closing(rows):
        for count, row in enumerate(rows, 1):
            if count <= 1_000:
                if len(first_rows) < MAX_SAMPLES:
                    first_rows.append(row)
                for column_samples, cell in zip(samples, row, strict=False):
                    if cell.strip() and len(column_samples) < MAX_SAMPLES and cell not in column_samples:
                        column_samples.append(cell[:_MAX_SAMPLE_LENGTH])
    suggestions = headers.suggest_field(table.headers, known_columns)
    columns = [
        PreviewedColumn(header, column_samples, *((None, 0.0) if header == IGNORED_COLUMN else suggestion))
        for header, column_samples, suggestion in zip(table.headers, samples, suggestions, strict=True)
    ]
    sample_cells = [zip_longest(table.headers, row[: len(table.headers)], fillvalue="") for row in first_rows]
    sample_rows = [{header: cell[:_MAX_SAMPLE_LENGTH] for header, cell in row} for row in sample_cells]
    return ImportPreview(count, columns, sample_rows)
