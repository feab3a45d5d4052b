"""Whether a question leaves anybody out at all. One that does not is never the target of bulk work by mistake."""

from collections.abc import Sequence
from typing import Any, Final

from db import tables
from db.filtering.filter_ast import FALSE, TRUE, FilterNode
from db.filtering.parser import ParsedFilter

_NEVER_EMPTY: Final = frozenset(
    column.name for column in tables.metadata.tables["customer"].columns if not column.nullable
)


def matches_everything(condition: ParsedFilter) -> bool:
    """Whether the filter holds of everybody, however it is put: nothing asked, a `not` of nothing, `notIn` nothing,
    the empty text contained. Filters of segments and views are in it as they were read."""
    return _always(condition.node, condition.values)


def _always(shape: FilterNode, values: Sequence[Any], own: bool = True) -> bool:
    """Of every customer. Inside a relation it is asked of other records, whose columns are not known here (`own`)."""
    kind = shape[0]
    if kind == "and":
        return all(_always(one, values, own) for one in shape[1:])
    if kind == "or":
        return any(_always(one, values, own) for one in shape[1:]) or _complementary(shape[1:], values)
    if kind == "not":
        return _never(shape[1], values, own)
    if kind == "one":
        return bool(shape[3]) and _always(shape[2], values, own=False)
    if kind == "count":
        return _counts_any(shape[2], values[shape[3]], shape[4])
    if kind == "compare":
        return own and str(shape[1]).endswith("_count") and _counts_any(shape[2], values[shape[3]], TRUE)
    if kind == "covers":
        return not values[shape[3]]
    return bool(kind == "true")


def _never(shape: FilterNode, values: Sequence[Any], own: bool = True) -> bool:
    kind = shape[0]
    if kind == "and":
        return any(_never(one, values, own) for one in shape[1:]) or _complementary(shape[1:], values)
    if kind == "or":
        return all(_never(one, values, own) for one in shape[1:])
    if kind == "not":
        return _always(shape[1], values, own)
    if kind == "one":
        return not shape[3] and _never(shape[2], values, own=False)
    if kind == "some":
        return _never(shape[2], values, own=False)
    if kind == "empty":
        return own and shape[1] in _NEVER_EMPTY
    if kind in ("among", "anniversary"):
        return not values[shape[2]]
    if kind == "among_folded":
        return not values[shape[4]]
    if kind == "count":
        return _counts_none(shape[2], values[shape[3]])
    return bool(kind == "false")


def _complementary(shapes: Sequence[FilterNode], values: Sequence[Any]) -> bool:
    """A thing and its opposite stand side by side."""
    said = {_said(one, values) for one in shapes}
    return any(_said(one[1], values) in said for one in shapes if one[0] == "not")


def _said(shape: Any, values: Sequence[Any]) -> Any:
    """The shape with its values in place of their numbers."""
    if isinstance(shape, tuple):
        return tuple(_said(one, values) for one in shape)
    if isinstance(shape, int) and not isinstance(shape, bool) and 0 <= shape < len(values):
        return ("value", repr(values[shape]))
    return shape


def _counts_any(operator: str, value: Any, shape: FilterNode) -> bool:
    if operator == ">=":
        return bool(value <= 0)
    if operator == ">":
        return bool(value < 0)
    return operator in ("=", "<=") and shape == FALSE and bool(value >= 0 if operator == "<=" else value == 0)


def _counts_none(operator: str, value: Any) -> bool:
    return (
        (operator == "<" and value <= 0) or (operator in ("=", "<=") and value < 0) if operator != "in" else not value
    )
