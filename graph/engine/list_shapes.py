"""Flattens the nested lists and nulls of a field's results to objects, and restores them for the response."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from graphql import GraphQLList, GraphQLNonNull
from graphql.pyutils import Path

from graph.engine.leaf_codegen import as_collection

_LIST_CLASSES = frozenset({list, tuple})


class ListShape:
    """The list and non-null wrappers of a type. `item_shape` is the shape of a list's items; None for an object."""

    __slots__ = ("is_nullable", "item_shape")

    def __init__(self, type_: Any) -> None:
        self.is_nullable = not isinstance(type_, GraphQLNonNull)
        inner = type_ if self.is_nullable else type_.of_type
        self.item_shape = ListShape(inner.of_type) if isinstance(inner, GraphQLList) else None

    def flatten(self, results: Collection[Any]) -> Sequence[Any]:
        """All objects in the results, in order, without the nulls that the type allows.

        A null that the type forbids stays among the objects, or raises FallbackRequired in place of a list.
        """
        if self.item_shape is None and not self.is_nullable and results.__class__ is list:
            return results
        if self.is_nullable:
            results = [result for result in results if result is not None]
        if self.item_shape is None:
            return results if results.__class__ is list or isinstance(results, Sequence) else list(results)
        if not set(map(type, results)) <= _LIST_CLASSES:
            results = list(map(as_collection, results))
        items = list(chain.from_iterable(results)) if len(results) != 1 else next(iter(results))
        return self.item_shape.flatten(items)

    def regroup(self, results: Collection[Any], objects: Sequence[Any]) -> Sequence[Any]:
        """Arranges response objects, one for each flattened object, in the lists and nulls of the results."""
        if self.item_shape is None:
            return _insert_nulls(results, objects) if self.is_nullable else objects
        present = [result for result in results if result is not None] if self.is_nullable else results
        items = objects
        if self.item_shape.item_shape is not None or self.item_shape.is_nullable:
            items = self.item_shape.regroup(list(chain.from_iterable(present)), objects)
        lists, start = [], 0
        for result in present:
            end = start + len(result)
            lists.append(items[start:end])
            start = end
        return _insert_nulls(results, lists) if self.is_nullable else lists

    def flatten_paths(self, results: Iterable[Any], paths: Iterable[Path]) -> Iterator[Path]:
        """The response path of each flattened object. `paths` are the paths of the results."""
        for result, path in zip(results, paths, strict=True):
            if result is None and self.is_nullable:
                continue
            if self.item_shape is None:
                yield path
            else:
                yield from self.item_shape.flatten_paths(result, (path.add_key(index) for index in range(len(result))))


def _insert_nulls(results: Collection[Any], values: Sequence[Any]) -> Sequence[Any]:
    """The values with a null at each position where the results have one."""
    if len(values) == len(results):
        return values
    remaining = iter(values)
    return [None if result is None else next(remaining) for result in results]
