"""Converts coerced arguments to what Strawberry passes to resolvers, with the type look-ups done once."""

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

from graph.engine.fallback import FallbackRequired

ArgumentPath = tuple[str | int, ...]

ConvertInput = Callable[[Any, Info, ArgumentPath], Any]
"""Returns what a resolver with that info receives for the coerced value at that path."""


class InputConversions:
    """The conversions of one schema's inputs, equal to `strawberry.types.arguments.convert_argument`."""

    def __init__(self, schema: Schema) -> None:
        self._config = schema.config
        self._scalars = schema.schema_converter.scalar_registry
        self._objects: dict[Any, ConvertInput] = {}

    def conversion_for(self, type_: Any) -> ConvertInput | None:
        """None if values pass unchanged. Raises FallbackRequired for types that only Strawberry can convert."""
        if isinstance(type_, StrawberryMaybe):
            return self._maybe_conversion(type_)
        if isinstance(type_, StrawberryOptional):
            return self.conversion_for(type_.of_type)
        if isinstance(type_, LazyType):
            return self.conversion_for(type_.resolve_type())
        if isinstance(type_, StrawberryList):
            return self._list_conversion(type_)
        if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
            return None
        if is_scalar(type_, self._scalars) and type_ is not GlobalID:
            return None
        if has_object_definition(type_):
            return self._object_conversion(type_)
        raise FallbackRequired(f"an argument has the unsupported type {type_}")

    def _maybe_conversion(self, type_: StrawberryMaybe) -> ConvertInput:
        convert_inner = self.conversion_for(type_.of_type)
        is_nullable = isinstance(type_.of_type, StrawberryOptional)

        def convert(value: Any, info: Info, path: ArgumentPath) -> Any:
            if value is None and not is_nullable:
                raise FallbackRequired("a Maybe argument that is not nullable is null")
            return Some(value if convert_inner is None else convert_inner(value, info, path))

        return convert

    def _list_conversion(self, type_: StrawberryList) -> ConvertInput:
        convert_item = self.conversion_for(type_.of_type)

        def convert(value: Any, info: Info, path: ArgumentPath) -> Any:
            if value is None or value is UNSET:
                return value
            if convert_item is None:
                return list(value)
            return [convert_item(item, info, (*path, index)) for index, item in enumerate(value)]

        return convert

    def _object_conversion(self, type_: Any) -> ConvertInput:
        """The conversion of an input object. Its fields are examined with the first value, because types may recur."""
        conversion = self._objects.get(type_)
        if conversion is None:
            definition = type_.__strawberry_definition__
            has_own_conversion = definition.from_input is not None
            build = self._own_conversion if has_own_conversion else self._field_conversion
            conversion = self._objects[type_] = build(type_, definition)
        return conversion

    def _own_conversion(self, type_: Any, definition: StrawberryObjectDefinition) -> ConvertInput:
        """For an input class that defines `from_input`."""
        from_input: Any = definition.from_input

        def convert(value: Any, info: Info, path: ArgumentPath) -> Any:
            if value is None or value is UNSET:
                return value
            return from_input(type_, value, InputContext(info, self._config, self._scalars, path))

        return convert

    def _field_conversion(self, type_: Any, definition: StrawberryObjectDefinition) -> ConvertInput:
        """For an input class that is constructed from its fields."""
        fields: list[tuple[str, str, ConvertInput | None]] | None = None
        # Like Strawberry, passes None for an absent field that has no default.
        nulls = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }

        def convert(value: Any, info: Info, path: ArgumentPath) -> Any:
            nonlocal fields
            if value is None or value is UNSET:
                return value
            if fields is None:
                fields = self._field_conversions(definition)
            arguments = dict(nulls)
            for name, python_name, convert_field in fields:
                if name in value:
                    item = value[name]
                    arguments[python_name] = item if convert_field is None else convert_field(item, info, (*path, name))
            return type_(**arguments)

        return convert

    def _field_conversions(self, definition: StrawberryObjectDefinition) -> list[tuple[str, str, ConvertInput | None]]:
        return [
            (
                self._config.name_converter.from_field(field),
                field.python_name,
                self.conversion_for(field.resolve_type(type_definition=definition)),
            )
            for field in definition.fields
        ]
