"""Encoding of ids, in a form that the engine can inline into generated code."""

from collections.abc import Callable

from db.values.wire_format import PREFIXES, decode_id, split_id
from graph.engine.field_declarations import InlineConversion

__all__ = ["PREFIXES", "decode_id", "id_encoder", "split_id"]


def id_encoder(kind: str) -> Callable[[bytes], str]:
    """Returns the function that encodes ids of that type."""
    return InlineConversion(f"'{PREFIXES[kind]}_' + {{value}}.hex()", returns_str=True)
