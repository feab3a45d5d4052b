"""Ids on the wire, as every floor writes them; here in a form that the engine writes into its own code."""

from collections.abc import Callable

from db.values.wire_format import PREFIXES, decode_id, split_id
from graph.engine.field_declarations import InlineConversion

__all__ = ["PREFIXES", "decode_id", "id_encoder", "split_id"]


def id_encoder(kind: str) -> Callable[[bytes], str]:
    """How ids of that type are written."""
    return InlineConversion(f"'{PREFIXES[kind]}_' + {{value}}.hex()", returns_str=True)
