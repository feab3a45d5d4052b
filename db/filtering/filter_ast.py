"""A filter without its values: nested tuples that say what is compared how. Equal shapes share one statement.

    ("true",)  ("false",)
    ("and", shapes…)  ("or", shapes…)  ("not", shape)
    ("compare", column, operator, value)        column =, <, <=, >, >= value
    ("equal", key, column, folded, value)       the folded key and the text itself are equal
    ("among", column, values)                   column is one of a list
    ("among_folded", key, column, folded, values)
    ("between", column, low, high)              low <= column < high
    ("holds", column, value, pattern)           column contains the text, which is LIKE the pattern
    ("ends", column, pattern)                   column is LIKE the pattern
    ("flag", column)                            a boolean column is true
    ("empty", column)                           column has no value
    ("anniversary", column, values)             the date's month and day are among a list
    ("later", column, value)                    column is empty or later than the value
    ("one", relation, shape, of_nothing)        the record that the relation leads to; without one, `of_nothing`
    ("some", relation, shape)                   at least one of the related records
    ("count", relation, operator, value, shape) how many of them
    ("covers", relation, column, values, count) each of the values is some related record's

`value`, `low`, `folded` … are places in the list of values that belongs to the filter. Every shape is true or false
of every row: comparing with a column that has no value is false, so that NOT is the exact complement.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

FilterNode: TypeAlias = tuple[Any, ...]

TRUE: FilterNode = ("true",)
FALSE: FilterNode = ("false",)


def conjunction(shapes: Iterable[FilterNode]) -> FilterNode:
    """All conditions hold."""
    kept: list[FilterNode] = []
    for shape in shapes:
        if shape == FALSE:
            return FALSE
        kept += shape[1:] if shape[0] == "and" else [] if shape == TRUE else [shape]
    return TRUE if not kept else kept[0] if len(kept) == 1 else ("and", *kept)


def conjuncts(shape: FilterNode) -> tuple[FilterNode, ...]:
    """The conditions of a conjunction: the inverse of `conjunction`."""
    return shape[1:] if shape[0] == "and" else (shape,)


def disjunction(shapes: Iterable[FilterNode]) -> FilterNode:
    """At least one condition holds."""
    kept: list[FilterNode] = []
    for shape in shapes:
        if shape == TRUE:
            return TRUE
        kept += shape[1:] if shape[0] == "or" else [] if shape == FALSE else [shape]
    return FALSE if not kept else kept[0] if len(kept) == 1 else ("or", *kept)


def negate(shape: FilterNode) -> FilterNode:
    """The condition does not hold."""
    if shape == TRUE:
        return FALSE
    if shape == FALSE:
        return TRUE
    return shape[1] if shape[0] == "not" else ("not", shape)


def holds_without_record(shape: FilterNode, values: Sequence[Any]) -> bool:
    """Whether the condition holds for an absent record: no column has a value, nothing is related."""
    kind = shape[0]
    if kind == "and":
        return all(holds_without_record(one, values) for one in shape[1:])
    if kind == "or":
        return any(holds_without_record(one, values) for one in shape[1:])
    if kind == "not":
        return not holds_without_record(shape[1], values)
    if kind == "one":
        return bool(shape[3])
    if kind == "count":
        return _counted_nothing(shape[2], values[shape[3]])
    return kind in ("true", "empty")


def _counted_nothing(operator: str, value: Any) -> bool:
    if operator == "in":
        return 0 in value
    return bool({"=": value == 0, "<": value > 0, "<=": value >= 0, ">": value < 0, ">=": value <= 0}[operator])


def own_columns(shape: FilterNode) -> frozenset[str]:
    """The columns of the row itself that the condition reads; "*" if it reads related rows."""
    kind = shape[0]
    if kind in ("true", "false"):
        return frozenset()
    if kind in ("and", "or", "not"):
        return frozenset().union(*(own_columns(one) for one in shape[1:]))
    if kind in ("one", "some", "count", "covers"):
        return frozenset({"*"})
    return frozenset(shape[1:3] if kind in ("equal", "among_folded") else shape[1:2])
