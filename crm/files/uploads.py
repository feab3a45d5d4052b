"""Uploads: files that callers sent. Only the sender can read and import them."""

from pathlib import Path

from crm.access.permissions import Viewer
from crm.errors import ErrorCode, Forbidden, InputError
from crm.files import storage
from db import tables
from db.engine import Database, Session, Transaction
from db.queries import files
from db.rows import new_row
from db.tables.enums import Permission
from db.values import wire_format

UPLOAD_ID_KIND = "uploads"

_MAX_NAME_LENGTH = 200


def check_may_upload(viewer: Viewer) -> None:
    """Raises Forbidden for viewers who may not import."""
    if not viewer.has_permission(Permission.CUSTOMER_IMPORT):
        raise Forbidden(Permission.CUSTOMER_IMPORT)


async def store_upload(
    database: Database, viewer: Viewer, identifier: bytes, *, name: str | None, size: int, path: str
) -> str:
    """Stores the row of an uploaded file; returns the upload's wire id."""
    check_may_upload(viewer)
    row = new_row(
        tables.Upload,
        workspace_id=viewer.workspace_id,
        id=identifier,
        actor_kind=int(viewer.actor_kind),
        actor_id=viewer.actor_id,
        name=name[:_MAX_NAME_LENGTH] if name else None,
        bytes=size,
        path=path,
    )

    async def insert(transaction: Transaction) -> None:
        await transaction.insert(row)

    await database.write(viewer.workspace_id, insert)
    return wire_format.id_encoder("Upload")(identifier)


async def find_upload(session: Session, viewer: Viewer, wire_id: str) -> tuple[tables.Upload, Path]:
    """The viewer's upload and the path of its file. Raises InputError NOT_FOUND."""
    identifier = wire_format.decode_id("Upload", wire_id)
    upload = None if identifier is None else await files.upload_by_id(session, identifier, viewer.actor_id)
    path = storage.storage_of(session.database).path(upload.path) if upload else None
    if upload is None or path is None or not path.is_file():
        raise InputError(
            ErrorCode.NOT_FOUND, f"There is no upload “{wire_id}” of yours; upload the file again.", ("input", "upload")
        )
    return upload, path
