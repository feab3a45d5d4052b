"""Where files lie and how they are reached: a directory, and links that are signed and end."""

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
from weakref import WeakKeyDictionary

from crm.settings import Settings
from db.engine import Database

LINK_LIFETIME_MS: Final = 24 * 3_600_000
"""Milliseconds that a link is good for."""

_PURPOSE: Final = b"clientela file link 1\0"
_PAYLOAD: Final = 8 + 16 + 6
_SIGNED: Final = _PAYLOAD + 18


@dataclass(frozen=True, slots=True)
class Storage:
    """Every process of a server has the same."""

    directory: Path
    secret: bytes = field(repr=False)
    public_url: str | None = None

    def path(self, relative: str) -> Path:
        """Of a file by what its row says. Raises ValueError for one that lies elsewhere."""
        path = (self.directory / relative).resolve()
        if not path.is_relative_to(self.directory.resolve()):
            raise ValueError(f"{relative!r} is not among the files")
        return path

    def new_path(self, kind: str, identifier: bytes) -> tuple[str, Path]:
        """A place for a new file: what its row says, and the path, whose directory is there."""
        relative = f"{kind}/{identifier.hex()}"
        path = self.directory / relative
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return relative, path

    def link(self, workspace_id: int, identifier: bytes, name: str, expires_at: int) -> str:
        """Where a file can be fetched until then by whoever has the link."""
        payload = workspace_id.to_bytes(8, "big") + identifier + expires_at.to_bytes(6, "big")
        token = base64.urlsafe_b64encode(payload + self._signature(payload)).decode()
        return f"{self.public_url or ''}/files/{token}/{quote(name, safe='')}"

    def read(self, token: str) -> tuple[int, bytes, int] | None:
        """The workspace, the file and the moment at which the link ends; None where we never made such a link."""
        try:
            signed = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        payload, signature = signed[:_PAYLOAD], signed[_PAYLOAD:]
        if len(signed) != _SIGNED or not hmac.compare_digest(signature, self._signature(payload)):
            return None
        return int.from_bytes(payload[:8], "big"), payload[8:24], int.from_bytes(payload[24:], "big")

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self.secret, _PURPOSE + payload, sha256)[:18]


def storage_from_settings(settings: Settings) -> Storage:
    """As the settings say."""
    return Storage(settings.files_dir, settings.secret, settings.public_url)


_OF: WeakKeyDictionary[Database, Storage] = WeakKeyDictionary()


def attach_storage(database: Database, storage: Storage) -> None:
    """From now on the files of that database lie there."""
    _OF[database] = storage


def storage_of(database: Database) -> Storage:
    return _OF[database]


def attached_directory(database: Database) -> Storage | None:
    """Where the files of the database lie, if it was said already."""
    return _OF.get(database)


@contextmanager
def delete_on_error(path: Path) -> Iterator[None]:
    """Removes the file where something goes wrong."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
