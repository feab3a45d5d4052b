"""Files that jobs create."""

from pathlib import Path
from typing import Any, Final

from crm.files import storage
from db import tables
from db.rows import Row, new_row
from db.tables.enums import FileFormat
from db.values import ids

FILE_ID_KIND: Final = "made"
"""The directory of these files within the storage."""


def create_job_file(job: Any, identifier: bytes, name: str, format: FileFormat, relative: str, path: Path) -> Row:
    """The row of an existing file."""
    return new_row(
        tables.JobFile,
        workspace_id=job.workspace_id,
        id=identifier,
        job_id=job.id,
        name=name,
        format=int(format),
        bytes=path.stat().st_size,
        path=relative,
        expires_at=ids.current_time() + storage.LINK_LIFETIME_MS,
    )
