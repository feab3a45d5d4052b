"""Arguments as a document writes them, ready to be made of each run's variables as graphql-core would coerce them."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)
from graphql.utilities import coerce_input_literal
from graphql.utilities.coerce_input_value import coerce_default_value

from graph.engine.fallback import Unplanned

# From coerced variables to a coerced value. Undefined: it is left out.
Make = Callable[[Mapping[str, Any]], Any]

_SIMPLE: Final = (str, int, float, Enum, type(None))


class Constant:
    """What makes the same value in every run, one that nobody can change."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        return self.value


def argument(definition: GraphQLArgument | GraphQLInputField, node: ValueNode | None) -> Make:
    """The value of an argument or input field; its default where it is left out. Raises Unplanned, now or when called,
    for what graphql-core would refuse."""
    type_: Any = definition.type
    required = isinstance(type_, GraphQLNonNull)
    default = coerce_default_value(definition)
    # graphql-core, too, hands out the same default in every run.
    absent = Undefined if required and default is Undefined else Constant(default)
    if node is None:
        if absent is Undefined:
            raise Unplanned("a required value is missing")
        return absent
    if isinstance(node, VariableNode):
        return _variable(node, absent, required)
    return _literal(node, type_)


def _variable(node: VariableNode, absent: Any, required: bool) -> Make:
    name = node.name.value

    def make(variables: Mapping[str, Any]) -> Any:
        value = variables.get(name, Undefined)
        if value is Undefined and absent is not Undefined:
            return absent.value
        if required and (value is None or value is Undefined):
            raise Unplanned(f"${name} is null or missing where a value has to be")
        return value

    return make


def _literal(node: ValueNode, type_: Any) -> Make:
    if not _varies(node):
        return _constant(node, type_)
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        return _list(node, type_.of_type)
    if isinstance(type_, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        return _object(node, type_)
    raise Unplanned("variables within a scalar")


def _varies(node: Any) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_varies, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_varies(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _constant(node: ValueNode, type_: Any) -> Make:
    def make(_: Mapping[str, Any]) -> Any:
        return coerce_input_literal(node, type_)

    value = make({})
    if value is Undefined:
        raise Unplanned("a literal that does not fit")
    if isinstance(value, _SIMPLE):
        return Constant(value)
    # A resolver might change a list or an object, so each run gets its own.
    return (lambda _: _copied(value)) if _plain(value) else make


def _plain(value: Any) -> bool:
    if value.__class__ is dict:
        return all(map(_plain, value.values()))
    return all(map(_plain, value)) if value.__class__ is list else isinstance(value, _SIMPLE)


def _copied(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _copied(each) for key, each in value.items()}
    return list(map(_copied, value)) if value.__class__ is list else value


def _list(node: ValueNode, item: Any) -> Make:
    nodes = node.values if isinstance(node, ListValueNode) else (node,)
    absent = Undefined if isinstance(item, GraphQLNonNull) else Constant(None)
    makes = [
        _variable(each, absent, absent is Undefined) if isinstance(each, VariableNode) else _literal(each, item)
        for each in nodes
    ]
    return lambda variables: [make(variables) for make in makes]


def _object(node: ObjectValueNode, type_: GraphQLInputObjectType) -> Make:
    given = {field.name.value: field.value for field in node.fields}
    if not given.keys() <= type_.fields.keys() or (type_.is_one_of and len(given) != 1):
        raise Unplanned("an input that does not fit")
    makes = []
    for name, definition in type_.fields.items():
        make = argument(definition, given.get(name))
        if not isinstance(make, Constant) or make.value is not Undefined:
            makes.append((definition.out_name or name, make))

    def made(variables: Mapping[str, Any]) -> Any:
        found = {}
        for name, make in makes:
            value = make(variables)
            if value is not Undefined:
                found[name] = value
        if type_.is_one_of and (len(found) != 1 or None in found.values()):
            raise Unplanned("an input that has to hold one value")
        return type_.out_type(found)

    return made
