"""Filters and sorts as JSON, the form in which they are stored. Resolvers get nothing else."""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

import strawberry
from strawberry import UNSET
from strawberry.types.base import StrawberryContainer, StrawberryList, StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.lazy_type import LazyType

from db.values.wire_format import format_decimal, format_moment
from graph.types.scalars import DateTime, Decimal

T = TypeVar("T", bound=type)

FilterData = Callable[[Any], Any]


def filter_input(description: str, **options: Any) -> Callable[[T], T]:
    """Declares an input that resolvers get as JSON: names as in the schema, enums by name, times and decimals as
    strings. What a client sends can be stored and sent back unchanged."""

    def declare(kind: T) -> T:
        made = strawberry.input(kind, description=description, **options)
        definition = _definition(made)
        definition.from_input = lambda _, given, context: _of(definition)(given)
        return made

    return declare


def filter_field(description: str, name: str | None = None, default: Any = UNSET) -> Any:
    """A field of a filter; an absent field is no condition."""
    return strawberry.field(default=default, description=description, name=name)


def _definition(kind: Any) -> StrawberryObjectDefinition:
    return cast(StrawberryObjectDefinition, kind.__strawberry_definition__)


def _of(definition: StrawberryObjectDefinition) -> FilterData:
    """Converts a value of that input to JSON. Its fields are inspected once, for the first value."""
    origin: Any = definition.origin
    fields = _fields(origin)

    def plain(given: Any) -> Any:
        if given is None:
            return None
        found = {}
        for name, value in given.items():
            convert = fields[name]
            found[name] = value if convert is None or value is None else convert(value)
        return found

    return plain


@cache
def _fields(origin: Any) -> Mapping[str, FilterData | None]:
    found = {}
    for field in _definition(origin).fields:
        name = field.graphql_name or _camel(field.python_name)
        found[name] = _converter(field.type)
    return found


def _converter(kind: Any) -> FilterData | None:
    """None if the value is JSON already."""
    if isinstance(kind, LazyType):
        kind = kind.resolve_type()
    if isinstance(kind, StrawberryList):
        one = _converter(kind.of_type)
        return None if one is None else lambda given: [None if each is None else one(each) for each in given]
    if isinstance(kind, StrawberryContainer):
        return _converter(kind.of_type)
    if isinstance(kind, StrawberryEnumDefinition) or (isinstance(kind, type) and issubclass(kind, Enum)):
        return lambda given: given.name
    if hasattr(kind, "__strawberry_definition__"):
        definition = kind.__strawberry_definition__
        # Resolved late: filters contain themselves.
        return lambda given: _of(definition)(given)
    return _SCALARS.get(kind)


_SCALARS: Mapping[Any, FilterData] = {DateTime: format_moment, Decimal: format_decimal}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
