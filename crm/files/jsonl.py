"""Reading JSONL: an object a line, as an export writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from crm.files import cells
from crm.files.errors import Unreadable

MAX_LINE_BYTES: Final = 1_000_000
"""Bytes of one line."""


def read_objects(path: Path) -> Iterator[dict[str, Any]]:
    """Raises Unreadable."""
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
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Unreadable(f"Line {number} is no JSON object.")
    return found


def headers_of(path: Path, most: int) -> list[str]:
    """The keys of all objects, in the order of their first appearance. Raises Unreadable."""
    found: dict[str, None] = {}
    for one in read_objects(path):
        if not one.keys() <= found.keys():
            found.update(dict.fromkeys(one))
            if len(found) > most:
                raise Unreadable(f"The file has more than {most} columns.")
    return list(found)


def row_of(found: dict[str, Any], headers: list[str]) -> list[str]:
    """The object's values as cells."""
    return [_cell(found.get(header)) for header in headers]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return cells.join_values(_cell(one) for one in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return orjson.dumps(value).decode()
