"""The generated functions that build the answers of many objects of one type at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from graph.engine import leaf_codegen
from graph.engine.leaf_codegen import Source

Build = Callable[[Sequence[Any]], list[dict[str, Any]]]


@dataclass(slots=True)
class Leaf:
    """One key of the answers: a constant, an attribute of a leaf type, or None where something comes later."""

    key: str
    type: Any = None
    attribute: str = ""
    convert: Callable[[Any], Any] | None = None
    constant: str | None = None


class Builder:
    """Builds answers in the order of their keys.

    A class of rows that lists its `__columns__` in their order, as tuples have them, gets a function of its own. Where
    it tells in `__kinds__` of which class a column's values are, they are not looked at again.
    """

    __slots__ = ("_functions", "_leaves")

    def __init__(self, built: list[Leaf]) -> None:
        self._leaves = built
        self._functions: dict[type | None, Build] = {}

    def __call__(self, rows: Sequence[Any], kind: type | None) -> list[dict[str, Any]]:
        """The answers for `rows`, whose class is `kind` where they share one."""
        if not hasattr(kind, "__columns__"):
            kind = None
        build = self._functions.get(kind)
        if build is None:
            build = self._functions[kind] = self._generated(kind)
        return build(rows)

    def _generated(self, kind: Any) -> Build:
        read = [leaf for leaf in self._leaves if leaf.type is not None]
        places = _places(kind, read) if kind is not None else None
        source = Source()
        names = {id(leaf): f"value{index}" for index, leaf in enumerate(read)}
        source.lines += ["built = []", "append = built.append"]
        if places is not None and 2 * len(places) >= len(kind.__columns__):
            # A column that is shown once is changed where it lies.
            origins = [
                f"column{place}" if places.count(place) > 1 else f"value{index}" for index, place in enumerate(places)
            ]
            source.lines.append(_unpacking(len(kind.__columns__), dict(zip(places, origins, strict=True))))
        elif places is not None:
            source.lines.append("for row in rows:")
            origins = [f"row[{place}]" for place in places]
        else:
            source.lines.append("for row in rows:")
            origins = [_attribute(leaf.attribute) for leaf in read]
        known = getattr(kind, "__kinds__", None) if places is not None else None
        kinds = [known[place] for place in places or ()] if known else [None] * len(read)
        for leaf, origin, class_ in zip(read, origins, kinds, strict=True):
            name = names[id(leaf)]
            if origin != name:
                source.lines.append(f"    {name} = {origin}")
            source.lines += [
                f"    {line}" for line in leaf_codegen.lines(source, leaf.type, name, leaf.convert, class_)
            ]
        source.lines.append(f"    append({{{', '.join(self._items(names))}}})")
        source.lines.append("return built")
        function: Build = source.function("def build(rows):")
        return function

    def _items(self, names: dict[int, str]) -> Iterator[str]:
        for leaf in self._leaves:
            yield f"{leaf.key!r}: {names.get(id(leaf), repr(leaf.constant))}"


def _places(kind: Any, read: list[Leaf]) -> list[int] | None:
    """Where in a row each attribute is; None where one is no column of it."""
    columns = {name: place for place, name in enumerate(kind.__columns__)}
    return [columns[leaf.attribute] for leaf in read] if all(leaf.attribute in columns for leaf in read) else None


def _unpacking(length: int, origins: dict[int, str]) -> str:
    names = [origins.get(place, "_") for place in range(length)]
    return f"for ({', '.join(names)},) in rows:"


def _attribute(name: str) -> str:
    return f"row.{name}" if name.isidentifier() and not iskeyword(name) else f"getattr(row, {name!r})"
