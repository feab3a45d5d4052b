"""Reading XLSX: looked at from outside, then read by a process of its own that may take little."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from crm.files import sandboxed_reader, zip_limits
from crm.files.errors import Unreadable

MAX_READ_SECONDS: Final = 600
"""Of processor time, for the largest workbook there can be."""

_MAX_LINE_BYTES: Final = 300_000_000


def read_records(path: Path, *, seconds: int = MAX_READ_SECONDS) -> Iterator[list[str]]:
    """Every row of the first sheet that holds something, the header as well. Raises Unreadable."""
    zip_limits.check_zip(path)
    command = [sys.executable, "-I", str(Path(sandboxed_reader.__file__).resolve()), str(seconds)]
    with (
        path.open("rb") as file,
        subprocess.Popen(
            command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/"
        ) as reader,
    ):
        try:
            assert reader.stdout is not None
            yield from _rows(reader.stdout)
        finally:
            reader.kill()


def _rows(output: object) -> Iterator[list[str]]:
    is_complete = False
    while line := output.readline(_MAX_LINE_BYTES):  # type: ignore[attr-defined] # a pipe of bytes
        batch = orjson.loads(line)
        if isinstance(batch, dict):
            raise Unreadable(batch["refused"])
        yield from batch
        is_complete = len(batch) < sandboxed_reader.ROWS_PER_BATCH
    if not is_complete:
        raise Unreadable("The workbook takes too long to read, or too much memory: save it as CSV.")
