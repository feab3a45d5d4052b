"""Cursors of keyset pages."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from db.filtering.errors import QueryError
from db.paging.sorting import Sort, SortKey, ValueKind

_CHECKSUM_BYTES: Final = 4
_ID_BYTES: Final = 16
_TYPES_BY_KIND: Final[Mapping[ValueKind, tuple[type, ...]]] = {
    "text": (str,),
    "integer": (int,),
    "number": (float, int),
    "boolean": (bool,),
    "bytes": (str,),
}


def sort_label(index: int) -> str:
    """The column name of the value of a sort's key."""
    return f"sorted_{index}"


def encode_cursor(sort: Sort, row: Any) -> str:
    """The cursor of a row: every sort value and the id, with a checksum that binds it to the sort."""
    content: bytes = row.id
    if sort.keys:
        values = [getattr(row, sort_label(place)) for place in range(len(sort.keys))]
        content += orjson.dumps([value.hex() if isinstance(value, bytes) else value for value in values])
    return base64.urlsafe_b64encode(_checksum(sort, content) + content).rstrip(b"=").decode()


@dataclass(slots=True)
class CursorPosition:
    """The position of a cursor: the sort values and the id."""

    values: tuple[Any, ...]
    id: bytes


def decode_cursor(sort: Sort, text: str, name: str) -> CursorPosition:
    """The position of the cursor `text`, the argument `name`. Raises QueryError BAD_CURSOR."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    check, body = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
    if len(body) < _ID_BYTES or check != _checksum(sort, body):
        message = f"`{name}` is not a cursor of this list in this order; use a cursor of a page with the same sort."
        raise QueryError("BAD_CURSOR", message, (name,))
    try:
        values = orjson.loads(body[_ID_BYTES:]) if sort.keys else []
        values_ = [_decode_value(key, value) for key, value in zip(sort.keys, values, strict=True)]
    except (ValueError, TypeError):
        raise QueryError("BAD_CURSOR", f"`{name}` is not a cursor of this list.", (name,)) from None
    return CursorPosition(tuple(values_), body[:_ID_BYTES])


def _decode_value(key: SortKey, value: Any) -> Any:
    if value is None and key.nullable:
        return None
    kind = key.expression.kind
    if not isinstance(value, _TYPES_BY_KIND[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise TypeError
    return bytes.fromhex(str(value)) if kind == "bytes" else value


def _checksum(sort: Sort, content: bytes) -> bytes:
    return zlib.crc32(_signature(sort) + content).to_bytes(_CHECKSUM_BYTES, "big")


@lru_cache(maxsize=1_000)
def _signature(sort: Sort) -> bytes:
    keys = [(key.expression, key.descending, key.nulls_first, key.field_id) for key in sort.keys]
    return repr((keys, sort.descending)).encode()
