"""Ids on the wire, as every floor writes them; here in a form that the engine writes into its own code."""

from collections.abc import Callable

from db.values.wire_format import PREFIXES, parse, split
from graph.engine.field_declarations import Inline

__all__ = ["PREFIXES", "parse", "split", "wire"]


def wire(kind: str) -> Callable[[bytes], str]:
    """How ids of that type are written."""
    return Inline(f"'{PREFIXES[kind]}_' + {{value}}.hex()", text=True)
