"""Generates the functions that build the response objects of many rows at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from graph.engine import leaf_codegen
from graph.engine.leaf_codegen import FunctionSource

BuildObjects = Callable[[Sequence[Any]], list[dict[str, Any]]]


@dataclass(slots=True)
class ResponseKey:
    """One key of the response objects.

    Its value is an attribute of a leaf type, a constant, or None as a placeholder for a field that follows later.
    """

    name: str
    leaf_type: Any = None
    attribute: str = ""
    convert: Callable[[Any], Any] | None = None
    constant: str | None = None


class ObjectBuilder:
    """Builds response objects with their keys in order.

    A row class that lists its columns in `__columns__`, in the order of its tuple positions, gets a function of its
    own. If `__kinds__` names the class of each column's values, the function does not check them.
    """

    __slots__ = ("_functions", "_keys")

    def __init__(self, keys: list[ResponseKey]) -> None:
        self._keys = keys
        self._functions: dict[type | None, BuildObjects] = {}

    def __call__(self, rows: Sequence[Any], row_class: type | None) -> list[dict[str, Any]]:
        """The response objects of the rows. `row_class` is their common class; None if they have several."""
        if not hasattr(row_class, "__columns__"):
            row_class = None
        build = self._functions.get(row_class)
        if build is None:
            build = self._functions[row_class] = self._generate(row_class)
        return build(rows)

    def _generate(self, row_class: Any) -> BuildObjects:
        """Generates `for row in rows: value0 = row[3]; …; append({"name": value0, …})`."""
        leaves = [key for key in self._keys if key.leaf_type is not None]
        positions = _column_positions(row_class, leaves) if row_class is not None else None
        names = [f"value{index}" for index in range(len(leaves))]
        loop, expressions = _loop(row_class, leaves, positions)
        value_classes = getattr(row_class, "__kinds__", None) if positions is not None else None
        source = FunctionSource()
        source.lines += ["objects = []", "append = objects.append", loop]
        for index, (leaf, name, expression) in enumerate(zip(leaves, names, expressions, strict=True)):
            value_class = value_classes[positions[index]] if value_classes and positions else None
            lines = [] if expression == name else [f"{name} = {expression}"]
            lines += leaf_codegen.conversion_lines(source, leaf.leaf_type, name, leaf.convert, value_class)
            source.lines += [f"    {line}" for line in lines]
        variables = {id(leaf): name for leaf, name in zip(leaves, names, strict=True)}
        source.lines += [f"    append({{{', '.join(self._items(variables))}}})", "return objects"]
        function: BuildObjects = source.compile("def build(rows):")
        return function

    def _items(self, variables: dict[int, str]) -> Iterator[str]:
        for key in self._keys:
            yield f"{key.name!r}: {variables.get(id(key), repr(key.constant))}"


def _loop(row_class: Any, leaves: list[ResponseKey], positions: list[int] | None) -> tuple[str, list[str]]:
    """The head of the loop over the rows, and the expression that reads each leaf in it.

    If at least half of the columns are read, unpacking the row is faster than indexing it.
    """
    if positions is None:
        return "for row in rows:", [_attribute_expression(leaf.attribute) for leaf in leaves]
    if 2 * len(positions) < len(row_class.__columns__):
        return "for row in rows:", [f"row[{position}]" for position in positions]
    # A column that occurs once is unpacked to the variable of its leaf, which is converted in place.
    expressions = [
        f"column{position}" if positions.count(position) > 1 else f"value{index}"
        for index, position in enumerate(positions)
    ]
    variables = dict(zip(positions, expressions, strict=True))
    names = [variables.get(position, "_") for position in range(len(row_class.__columns__))]
    return f"for ({', '.join(names)},) in rows:", expressions


def _column_positions(row_class: Any, leaves: list[ResponseKey]) -> list[int] | None:
    """The position of each leaf's column in a row; None if an attribute is not a column."""
    positions = {name: position for position, name in enumerate(row_class.__columns__)}
    is_complete = all(leaf.attribute in positions for leaf in leaves)
    return [positions[leaf.attribute] for leaf in leaves] if is_complete else None


def _attribute_expression(name: str) -> str:
    return f"row.{name}" if name.isidentifier() and not iskeyword(name) else f"getattr(row, {name!r})"
