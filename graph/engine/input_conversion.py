"""Coerced arguments as Strawberry hands them to resolvers; what it looks up at every call is looked up once."""

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

from strawberry import UNSET, Info, Schema, Some
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

from graph.engine.fallback import Unplanned

Path = tuple[str | int, ...]

# From a coerced value to what a resolver with that info gets for the argument or input field at that path.
Convert = Callable[[Any, Info, Path], Any]


class Inputs:
    """The conversions of one schema's inputs, as `strawberry.types.arguments.convert_argument` makes them."""

    def __init__(self, schema: Schema) -> None:
        self._config = schema.config
        self._scalars = schema.schema_converter.scalar_registry
        self._objects: dict[Any, Convert] = {}

    def convert(self, type_: Any) -> Convert | None:
        """None where a value is handed over as it is. Raises Unplanned for types that only Strawberry knows."""
        if isinstance(type_, StrawberryMaybe):
            return self._maybe(type_)
        if isinstance(type_, StrawberryOptional):
            return self.convert(type_.of_type)
        if isinstance(type_, LazyType):
            return self.convert(type_.resolve_type())
        if isinstance(type_, StrawberryList):
            return self._list(type_)
        if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
            return None
        if is_scalar(type_, self._scalars) and type_ is not GlobalID:
            return None
        if has_object_definition(type_):
            return self._object(type_)
        raise Unplanned(f"an argument of the type {type_}")

    def _maybe(self, type_: StrawberryMaybe) -> Convert:
        convert = self.convert(type_.of_type)
        nullable = isinstance(type_.of_type, StrawberryOptional)

        def some(value: Any, info: Info, path: Path) -> Any:
            if value is None and not nullable:
                raise Unplanned("null where a value may only be left out")
            return Some(value if convert is None else convert(value, info, path))

        return some

    def _list(self, type_: StrawberryList) -> Convert:
        convert = self.convert(type_.of_type)

        def listed(value: Any, info: Info, path: Path) -> Any:
            if value is None or value is UNSET:
                return value
            if convert is None:
                return list(value)
            return [convert(each, info, (*path, index)) for index, each in enumerate(value)]

        return listed

    def _object(self, type_: Any) -> Convert:
        """Inputs may nest in themselves, so their fields are looked at when the first value comes."""
        found = self._objects.get(type_)
        if found is None:
            definition = type_.__strawberry_definition__
            made = self._own(type_, definition) if definition.from_input is not None else self._plain(type_, definition)
            found = self._objects[type_] = made
        return found

    def _own(self, type_: Any, definition: StrawberryObjectDefinition) -> Convert:
        """An input that makes its values itself."""
        make: Any = definition.from_input

        def own(value: Any, info: Info, path: Path) -> Any:
            if value is None or value is UNSET:
                return value
            return make(type_, value, InputContext(info, self._config, self._scalars, path))

        return own

    def _plain(self, type_: Any, definition: StrawberryObjectDefinition) -> Convert:
        fields: list[tuple[str, str, Convert | None]] | None = None
        # As Strawberry has it: what has no default of its own is null where it is left out.
        nulls = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }

        def plain(value: Any, info: Info, path: Path) -> Any:
            nonlocal fields
            if value is None or value is UNSET:
                return value
            if fields is None:
                fields = self._fields(definition)
            given = dict(nulls)
            for name, python_name, convert in fields:
                if name in value:
                    one = value[name]
                    given[python_name] = one if convert is None else convert(one, info, (*path, name))
            return type_(**given)

        return plain

    def _fields(self, definition: StrawberryObjectDefinition) -> list[tuple[str, str, Convert | None]]:
        return [
            (
                self._config.name_converter.from_field(field),
                field.python_name,
                self.convert(field.resolve_type(type_definition=definition)),
            )
            for field in definition.fields
        ]
