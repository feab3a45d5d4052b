"""Storage of files: a directory, and signed links that expire."""

import base64
import binascii
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

from crm.settings import Settings
from db.engine import Database
from db.values.time_units import MS_PER_DAY

LINK_LIFETIME_MS: Final = MS_PER_DAY
"""Milliseconds for which a link is valid."""

_PURPOSE: Final = b"clientela file link 1\0"
_PAYLOAD_BYTES: Final = 8 + 16 + 6
_SIGNED_BYTES: Final = _PAYLOAD_BYTES + 18


@dataclass(frozen=True, slots=True)
class Storage:
    """The files directory and the secret that signs links. All processes of a server share the same values."""

    directory: Path
    secret: bytes = field(repr=False)
    public_url: str | None = None

    def path(self, relative: str) -> Path:
        """The path of a file by the relative path in its row. Raises ValueError for a path outside of the directory."""
        path = (self.directory / relative).resolve()
        if not path.is_relative_to(self.directory.resolve()):
            raise ValueError(f"{relative!r} is outside of the files directory")
        return path

    def new_path(self, kind: str, identifier: bytes) -> tuple[str, Path]:
        """Returns the relative path for the row of a new file, and its absolute path. Creates the directory."""
        relative = f"{kind}/{identifier.hex()}"
        path = self.directory / relative
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return relative, path

    def link(self, workspace_id: int, identifier: bytes, name: str, expires_at: int) -> str:
        """A link under which anyone can download the file until `expires_at`."""
        payload = workspace_id.to_bytes(8, "big") + identifier + expires_at.to_bytes(6, "big")
        token = base64.urlsafe_b64encode(payload + self._signature(payload)).decode()
        return f"{self.public_url or ''}/files/{token}/{quote(name, safe='')}"

    def parse_token(self, token: str) -> tuple[int, bytes, int] | None:
        """Reads a token: the workspace, the file and the expiry time in milliseconds; None if the signature is
        invalid."""
        try:
            signed = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        payload, signature = signed[:_PAYLOAD_BYTES], signed[_PAYLOAD_BYTES:]
        if len(signed) != _SIGNED_BYTES or not hmac.compare_digest(signature, self._signature(payload)):
            return None
        return int.from_bytes(payload[:8], "big"), payload[8:24], int.from_bytes(payload[24:], "big")

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self.secret, _PURPOSE + payload, sha256)[:18]


def storage_from_settings(settings: Settings) -> Storage:
    """The storage that the settings describe."""
    return Storage(settings.files_dir, settings.secret, settings.public_url)


class _AttachedStorage:
    """The storage of one database; None before `attach_storage`."""

    def __init__(self) -> None:
        self.storage: Storage | None = None


def attach_storage(database: Database, storage: Storage) -> None:
    """Sets the storage of the database's files."""
    database.component(_AttachedStorage).storage = storage


def storage_of(database: Database) -> Storage:
    """The storage of the database's files. Raises LookupError before `attach_storage`."""
    storage = attached_storage(database)
    if storage is None:
        raise LookupError("no storage is attached to this database")
    return storage


def attached_storage(database: Database) -> Storage | None:
    """The storage of the database's files; None before `attach_storage`."""
    return database.component(_AttachedStorage).storage


@contextmanager
def delete_on_error(path: Path) -> Iterator[None]:
    """Deletes the file if the block raises an exception."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
