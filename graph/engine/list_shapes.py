"""How the results of a field lie in lists and beside nulls: flattened to the objects in them, and put back."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from graphql import GraphQLList, GraphQLNonNull
from graphql.pyutils import Path

from graph.engine.leaf_codegen import many


class Shape:
    """The wrappers of a type around its objects: `of` is the shape of a list's items, None at an object."""

    __slots__ = ("nullable", "of")

    def __init__(self, type_: Any) -> None:
        self.nullable = not isinstance(type_, GraphQLNonNull)
        inner = type_ if self.nullable else type_.of_type
        self.of = Shape(inner.of_type) if isinstance(inner, GraphQLList) else None

    def flat(self, results: Collection[Any]) -> Sequence[Any]:
        """All objects in the results, in order. A null that may not be is among them, or raises Unplanned."""
        if self.of is None and not self.nullable and results.__class__ is list:
            return results
        if self.nullable:
            results = [result for result in results if result is not None]
        if self.of is None:
            return results if results.__class__ is list or isinstance(results, Sequence) else list(results)
        if not set(map(type, results)) <= _LISTS:
            results = list(map(many, results))
        items = list(chain.from_iterable(results)) if len(results) != 1 else next(iter(results))
        return self.of.flat(items)

    def regrouped(self, results: Collection[Any], answers: Sequence[Any]) -> Sequence[Any]:
        """The answers, one for each flat object, as the results lie."""
        if self.of is None:
            return _beside_nulls(results, answers) if self.nullable else answers
        present = [result for result in results if result is not None] if self.nullable else results
        items = answers
        if self.of.of is not None or self.of.nullable:
            items = self.of.regrouped(list(chain.from_iterable(present)), answers)
        lists, start = [], 0
        for each in present:
            end = start + len(each)
            lists.append(items[start:end])
            start = end
        return _beside_nulls(results, lists) if self.nullable else lists

    def placed(self, results: Iterable[Any], paths: Iterable[Path]) -> Iterator[Path]:
        """The path of each flat object, where `paths` are those of the results."""
        for result, path in zip(results, paths, strict=True):
            if result is None and self.nullable:
                continue
            if self.of is None:
                yield path
            else:
                yield from self.of.placed(result, (path.add_key(index) for index in range(len(result))))


_LISTS = frozenset({list, tuple})


def _beside_nulls(results: Collection[Any], answers: Sequence[Any]) -> Sequence[Any]:
    """The answers, with a null wherever there is one among the results."""
    if len(answers) == len(results):
        return answers
    remaining = iter(answers)
    return [None if result is None else next(remaining) for result in results]
