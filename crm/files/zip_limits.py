"""Looking at a workbook from outside: what its zip directory promises is judged before anything is unpacked."""

import struct
import zipfile
from pathlib import Path
from typing import Final

from crm.files.errors import Unreadable

MAX_ZIP_ENTRIES: Final = 200
MAX_UNPACKED_BYTES: Final = 200_000_000
MAX_COMPRESSION_RATIO: Final = 100

_END: Final = b"PK\x05\x06"
_END_LENGTH: Final = 22
_LONGEST_DIRECTORY: Final = 200_000
# Smaller ones do no harm however well they are packed.
_SMALL: Final = 1_000_000


def check_zip(path: Path) -> None:
    """Raises Unreadable for an archive that is no workbook, or that unpacks to more than a workbook should."""
    _check_end(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError):
        raise _broken() from None
    if len(entries) > MAX_ZIP_ENTRIES:
        raise _too_many(len(entries))
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise Unreadable("This is no workbook: save it as .xlsx or as CSV.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("The workbook is protected by a password: save it without one.")
    unpacked, packed = sum(entry.file_size for entry in entries), path.stat().st_size
    if unpacked > MAX_UNPACKED_BYTES:
        raise Unreadable(f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB: save it as CSV.")
    swollen = any(
        entry.file_size > MAX_COMPRESSION_RATIO * max(entry.compress_size, _SMALL // MAX_COMPRESSION_RATIO)
        for entry in entries
    )
    if swollen or unpacked > MAX_COMPRESSION_RATIO * max(packed, _SMALL // MAX_COMPRESSION_RATIO):
        raise Unreadable(f"The workbook unpacks to more than {MAX_COMPRESSION_RATIO} times its size: save it as CSV.")


def _check_end(path: Path) -> None:
    """The directory's own summary, so that a directory of millions is not even read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_535 - _END_LENGTH))
        tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_LENGTH:
        raise _broken()
    entries, length = struct.unpack_from("<HI", tail, place + 10)
    if entries > MAX_ZIP_ENTRIES or length > _LONGEST_DIRECTORY:
        raise _too_many(entries)


def _broken() -> Unreadable:
    return Unreadable("The workbook is damaged: save it again, as .xlsx or as CSV.")


def _too_many(entries: int) -> Unreadable:
    return Unreadable(f"The workbook has {entries} parts; {MAX_ZIP_ENTRIES} are the most: save it as CSV.")
