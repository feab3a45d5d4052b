"""Looking at a file before it is imported: how many rows, which columns, what they seem to mean."""

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
"""Values shown of each column, and rows shown of a file."""

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class PreviewedColumn:
    """A column of the file; `suggested` is the key of the field that it seems to mean."""

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
    """Raises BadInput: NOT_FOUND for an upload that is not the viewer's, INVALID for a file that cannot be read."""
    try:
        _, path = await uploads.find_upload(session, viewer, upload)
        known = await file_columns.customer_columns(session)
        return await asyncio.to_thread(_look, path, known)
    except InputError as refused:
        raise BadUserInput(refused.code.value, refused.message) from None
    except Unreadable as unreadable:
        raise BadUserInput("INVALID", str(unreadable)) from None


def _look(path: Path, known: Mapping[str, FileColumn]) -> ImportPreview:
    table = tables.open_table(path)
    samples: list[list[str]] = [[] for _ in table.headers]
    first: list[list[str]] = []
    count = 0
    rows: Any = table.rows()
    with closing(rows):
        for count, row in enumerate(rows, 1):
            if count <= 1_000:
                if len(first) < MAX_SAMPLES:
                    first.append(row)
                for held, cell in zip(samples, row, strict=False):
                    if cell.strip() and len(held) < MAX_SAMPLES and cell not in held:
                        held.append(cell[:_SHOWN])
    suggestions = headers.suggest_field(table.headers, known)
    seen = [
        PreviewedColumn(header, held, *((None, 0.0) if header == IGNORED_COLUMN else one))
        for header, held, one in zip(table.headers, samples, suggestions, strict=True)
    ]
    whole = [zip_longest(table.headers, row[: len(table.headers)], fillvalue="") for row in first]
    shown = [{header: cell[:_SHOWN] for header, cell in row} for row in whole]
    return ImportPreview(count, seen, shown)
