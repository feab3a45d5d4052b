"""Checks the zip directory of a workbook against limits before anything is unpacked."""

import struct
import zipfile
from pathlib import Path
from typing import Final

from crm.files.errors import Unreadable

MAX_ZIP_ENTRIES: Final = 200
MAX_UNPACKED_BYTES: Final = 200_000_000
MAX_COMPRESSION_RATIO: Final = 100

_END_OF_DIRECTORY: Final = b"PK\x05\x06"
_END_OF_DIRECTORY_BYTES: Final = 22
_MAX_DIRECTORY_BYTES: Final = 200_000
# Entries below this unpacked size are harmless at any compression ratio.
_HARMLESS_BYTES: Final = 1_000_000


def check_zip(path: Path) -> None:
    """Raises Unreadable if the archive is not a workbook or unpacks to more than the limits allow."""
    _check_directory_end(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError):
        raise _damaged_error() from None
    if len(entries) > MAX_ZIP_ENTRIES:
        raise _too_many_entries_error(len(entries))
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise Unreadable("This file is not a workbook; save it as .xlsx or as CSV.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("The workbook is protected by a password; save it without one.")
    unpacked, packed = sum(entry.file_size for entry in entries), path.stat().st_size
    if unpacked > MAX_UNPACKED_BYTES:
        raise Unreadable(f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB; save it as CSV.")
    exceeds_ratio = any(
        entry.file_size > MAX_COMPRESSION_RATIO * max(entry.compress_size, _HARMLESS_BYTES // MAX_COMPRESSION_RATIO)
        for entry in entries
    )
    if exceeds_ratio or unpacked > MAX_COMPRESSION_RATIO * max(packed, _HARMLESS_BYTES // MAX_COMPRESSION_RATIO):
        raise Unreadable(f"The workbook unpacks to more than {MAX_COMPRESSION_RATIO} times its size; save it as CSV.")


def _check_directory_end(path: Path) -> None:
    """Checks the summary at the end of the zip directory, so that a directory with millions of entries is never
    read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_535 - _END_OF_DIRECTORY_BYTES))
        tail = file.read()
    end_index = tail.rfind(_END_OF_DIRECTORY)
    if end_index < 0 or len(tail) - end_index < _END_OF_DIRECTORY_BYTES:
        raise _damaged_error()
    entries, length = struct.unpack_from("<HI", tail, end_index + 10)
    if entries > MAX_ZIP_ENTRIES or length > _MAX_DIRECTORY_BYTES:
        raise _too_many_entries_error(entries)


def _damaged_error() -> Unreadable:
    return Unreadable("The workbook is damaged; save it again as .xlsx or as CSV.")


def _too_many_entries_error(entries: int) -> Unreadable:
    return Unreadable(f"The workbook has {entries} parts, but at most {MAX_ZIP_ENTRIES} are allowed; save it as CSV.")
