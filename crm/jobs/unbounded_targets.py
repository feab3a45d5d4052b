"""Detects filters that match every customer. Bulk work never runs on such a filter unless the caller asks for all
customers."""

from collections.abc import Sequence
from typing import Any, Final

from db import tables
from db.filtering.filter_ast import FALSE, TRUE, FilterNode
from db.filtering.parser import ParsedFilter

_NEVER_EMPTY: Final = frozenset(
    column.name for column in tables.metadata.tables["customer"].columns if not column.nullable
)


def matches_everything(condition: ParsedFilter) -> bool:
    """Whether the filter matches every customer, in any form: an empty filter, `not` of a filter without matches,
    `notIn` of an empty list, `contains` of the empty text. The filters of segments and views are resolved before the
    check."""
    return _matches_all(condition.node, condition.values)


def _matches_all(node: FilterNode, values: Sequence[Any], own: bool = True) -> bool:
    """Whether the node matches every customer. Inside a relation (`own=False`) the node is about other records, whose
    columns are unknown here."""
    kind = node[0]
    if kind == "and":
        return all(_matches_all(child, values, own) for child in node[1:])
    if kind == "or":
        return any(_matches_all(child, values, own) for child in node[1:]) or _complementary(node[1:], values)
    if kind == "not":
        return _matches_none(node[1], values, own)
    if kind == "one":
        return bool(node[3]) and _matches_all(node[2], values, own=False)
    if kind == "count":
        return _counts_any(node[2], values[node[3]], node[4])
    if kind == "compare":
        return own and str(node[1]).endswith("_count") and _counts_any(node[2], values[node[3]], TRUE)
    if kind == "covers":
        return not values[node[3]]
    return bool(kind == "true")


def _matches_none(node: FilterNode, values: Sequence[Any], own: bool = True) -> bool:
    kind = node[0]
    if kind == "and":
        return any(_matches_none(child, values, own) for child in node[1:]) or _complementary(node[1:], values)
    if kind == "or":
        return all(_matches_none(child, values, own) for child in node[1:])
    if kind == "not":
        return _matches_all(node[1], values, own)
    if kind == "one":
        return not node[3] and _matches_none(node[2], values, own=False)
    if kind == "some":
        return _matches_none(node[2], values, own=False)
    if kind == "empty":
        return own and node[1] in _NEVER_EMPTY
    if kind in ("among", "anniversary"):
        return not values[node[2]]
    if kind == "among_folded":
        return not values[node[4]]
    if kind == "count":
        return _counts_none(node[2], values[node[3]])
    return bool(kind == "false")


def _complementary(nodes: Sequence[FilterNode], values: Sequence[Any]) -> bool:
    """Whether the list contains a node and its negation."""
    resolved = {_with_values(node, values) for node in nodes}
    return any(_with_values(node[1], values) in resolved for node in nodes if node[0] == "not")


def _with_values(node: Any, values: Sequence[Any]) -> Any:
    """Returns the node with its parameter values in place of their indexes."""
    if isinstance(node, tuple):
        return tuple(_with_values(child, values) for child in node)
    if isinstance(node, int) and not isinstance(node, bool) and 0 <= node < len(values):
        return ("value", repr(values[node]))
    return node


def _counts_any(operator: str, value: Any, node: FilterNode) -> bool:
    if operator == ">=":
        return bool(value <= 0)
    if operator == ">":
        return bool(value < 0)
    return operator in ("=", "<=") and node == FALSE and bool(value >= 0 if operator == "<=" else value == 0)


def _counts_none(operator: str, value: Any) -> bool:
    return (
        (operator == "<" and value <= 0) or (operator in ("=", "<=") and value < 0) if operator != "in" else not value
    )
