"""Compiles the arguments in a document to functions that compute their coerced values from a run's variables."""

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

from graph.engine.fallback import FallbackRequired

ComputeValue = Callable[[Mapping[str, Any]], Any]
"""Returns the coerced value for the coerced variables; Undefined if the argument is absent."""

# Classes of immutable values, which all runs can share.
_IMMUTABLE_CLASSES: Final = (str, int, float, Enum, type(None))


class Constant:
    """Computes the same immutable value in every run."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        return self.value


def compile_argument(definition: GraphQLArgument | GraphQLInputField, node: ValueNode | None) -> ComputeValue:
    """Computes the value of an argument or input field, or its default if the document leaves it out.

    Raises FallbackRequired, now or in the computation, if graphql-core would reject the value.
    """
    type_: Any = definition.type
    is_required = isinstance(type_, GraphQLNonNull)
    default_value = coerce_default_value(definition)
    # graphql-core shares the default between runs, too.
    default = Undefined if is_required and default_value is Undefined else Constant(default_value)
    if node is None:
        if default is Undefined:
            raise FallbackRequired("a required value is missing")
        return default
    if isinstance(node, VariableNode):
        return _compile_variable(node, default, is_required)
    return _compile_literal(node, type_)


def _compile_variable(node: VariableNode, default: Any, is_required: bool) -> ComputeValue:
    name = node.name.value

    def compute(variables: Mapping[str, Any]) -> Any:
        value = variables.get(name, Undefined)
        if value is Undefined and default is not Undefined:
            return default.value
        if is_required and (value is None or value is Undefined):
            raise FallbackRequired(f"the required variable ${name} is null or missing")
        return value

    return compute


def _compile_literal(node: ValueNode, type_: Any) -> ComputeValue:
    if not _contains_variable(node):
        return _compile_constant(node, type_)
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        return _compile_list(node, type_.of_type)
    if isinstance(type_, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        return _compile_object(node, type_)
    raise FallbackRequired("a scalar literal contains variables")


def _contains_variable(node: Any) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_contains_variable, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_contains_variable(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _compile_constant(node: ValueNode, type_: Any) -> ComputeValue:
    def compute(_: Mapping[str, Any]) -> Any:
        return coerce_input_literal(node, type_)

    value = compute({})
    if value is Undefined:
        raise FallbackRequired("a literal does not fit its type")
    if isinstance(value, _IMMUTABLE_CLASSES):
        return Constant(value)
    # A resolver might change a list or an object, so each run gets its own copy.
    return (lambda _: _copy(value)) if _is_copyable(value) else compute


def _is_copyable(value: Any) -> bool:
    if value.__class__ is dict:
        return all(map(_is_copyable, value.values()))
    return all(map(_is_copyable, value)) if value.__class__ is list else isinstance(value, _IMMUTABLE_CLASSES)


def _copy(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _copy(item) for key, item in value.items()}
    return list(map(_copy, value)) if value.__class__ is list else value


def _compile_list(node: ValueNode, item_type: Any) -> ComputeValue:
    nodes = node.values if isinstance(node, ListValueNode) else (node,)
    default = Undefined if isinstance(item_type, GraphQLNonNull) else Constant(None)
    items = [
        _compile_variable(item, default, default is Undefined)
        if isinstance(item, VariableNode)
        else _compile_literal(item, item_type)
        for item in nodes
    ]
    return lambda variables: [compute(variables) for compute in items]


def _compile_object(node: ObjectValueNode, type_: GraphQLInputObjectType) -> ComputeValue:
    nodes = {field.name.value: field.value for field in node.fields}
    if not nodes.keys() <= type_.fields.keys() or (type_.is_one_of and len(nodes) != 1):
        raise FallbackRequired("an input object does not fit its type")
    fields = []
    for name, definition in type_.fields.items():
        compute = compile_argument(definition, nodes.get(name))
        if not isinstance(compute, Constant) or compute.value is not Undefined:
            fields.append((definition.out_name or name, compute))

    def compute_object(variables: Mapping[str, Any]) -> Any:
        values = {}
        for name, compute in fields:
            value = compute(variables)
            if value is not Undefined:
                values[name] = value
        if type_.is_one_of and (len(values) != 1 or None in values.values()):
            raise FallbackRequired("a @oneOf input must have exactly one value")
        return type_.out_type(values)

    return compute_object
