"""Reads JSONL: one object per line, as exports write it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from crm.files import cells
from crm.files.errors import Unreadable

MAX_LINE_BYTES: Final = 1_000_000
"""Maximum size of one line in bytes."""


def read_objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the object of each line. Raises Unreadable."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise Unreadable(f"Line {number} is longer than {MAX_LINE_BYTES} bytes.")
            line = line.removeprefix(b"\xef\xbb\xbf").strip()
            if line:
                yield _object(line, number)


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise Unreadable(f"Line {number} is not a JSON object.")
    return value


def headers_of(path: Path, max_columns: int) -> list[str]:
    """The keys of all objects in the order of their first appearance. Raises Unreadable for more than `max_columns`
    keys."""
    headers: dict[str, None] = {}
    for data in read_objects(path):
        if not data.keys() <= headers.keys():
            headers.update(dict.fromkeys(data))
            if len(headers) > max_columns:
                raise Unreadable(f"The file has more than {max_columns} columns.")
    return list(headers)


def row_of(data: dict[str, Any], headers: list[str]) -> list[str]:
    """The object's values as cells."""
    return [_cell(data.get(header)) for header in headers]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return cells.join_values(_cell(item) for item in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return orjson.dumps(value).decode()
