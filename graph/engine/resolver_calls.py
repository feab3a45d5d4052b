"""Calls of resolvers as Strawberry makes them, with what is the same in every run worked out once."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from graphql import GraphQLField, Undefined
from graphql.execution.collect_fields import FieldDetails
from strawberry import Info, Schema
from strawberry.extensions.field_extension import FieldExtension, build_field_extension_resolvers
from strawberry.types.field import StrawberryField

from graph.engine import argument_values
from graph.engine.fallback import Unplanned
from graph.engine.input_conversion import Convert, Inputs

# From coerced variables and the field's info to the arguments by their names in Python.
Arguments = Callable[[Mapping[str, Any], Info], dict[str, Any]]

# From an object, the field's info and the arguments to what graphql-core would be given, perhaps to be awaited.
Call = Callable[[Any, Info, dict[str, Any]], Any]


def arguments(
    inputs: Inputs, schema: Schema, field: GraphQLField, declared: StrawberryField, details: FieldDetails
) -> Arguments:
    """Raises Unplanned for what graphql-core has to work out, or to refuse."""
    if details.fragment_variable_values:
        raise Unplanned("a fragment with variables")
    given = {each.name.value: each.value for each in details.node.arguments or ()}
    made: list[tuple[str, str, argument_values.Make, Convert | None]] = []
    for argument in declared.arguments:
        name = schema.config.name_converter.from_argument(argument)
        make = argument_values.argument(field.args[name], given.get(name))
        if not isinstance(make, argument_values.Constant) or make.value is not Undefined:
            made.append((name, argument.python_name, make, inputs.convert(argument.type)))
    return partial(_made, made)


def _made(
    made: list[tuple[str, str, argument_values.Make, Convert | None]], variables: Mapping[str, Any], info: Info
) -> dict[str, Any]:
    found = {}
    for name, python_name, make, convert in made:
        value = make(variables)
        if value is not Undefined:
            found[python_name] = value if convert is None else convert(value, info, (name,))
    return found


def call(declared: StrawberryField) -> Call:
    """What `strawberry.schema.schema_converter.from_resolver` wraps around a field's function."""
    if declared.is_basic_field:
        return lambda source, info, given: declared.get_result(source, info=None, args=[], kwargs={})
    resolvers = build_field_extension_resolvers(declared)
    mappings = [
        each.map_arguments
        for each in declared.extensions
        if type(each).map_arguments is not FieldExtension.map_arguments
    ]
    result = _result(declared)
    base = declared.base_resolver
    takes_self = base is not None and base.self_parameter is not None
    sources = [each.name for each in (base.parent_parameter, base.root_parameter) if each] if base else []
    infos = [base.info_parameter.name] if base and base.info_parameter else []

    def called(source: Any, info: Info, given: dict[str, Any]) -> Any:
        for mapped in mappings:
            given = mapped(given)
        first = [source] if takes_self else []
        given |= dict.fromkeys(sources, source) | dict.fromkeys(infos, info)
        if not resolvers:
            return result(source, info, first, given)
        return _extended(result, resolvers, first, source, info, given)

    return called


def _result(declared: StrawberryField) -> Callable[[Any, Info, list[Any], dict[str, Any]], Any]:
    """The field's own way to its result, which is but the call of its function where it says nothing else."""
    base = declared.base_resolver
    if base is not None and type(declared).get_result is StrawberryField.get_result and callable(base.wrapped_func):
        function: Any = base.wrapped_func
        return lambda source, info, args, kwargs: function(*args, **kwargs)
    return lambda source, info, args, kwargs: declared.get_result(source, info=info, args=args, kwargs=kwargs)


def _extended(
    result: Callable[[Any, Info, list[Any], dict[str, Any]], Any],
    resolvers: list[Any],
    first: list[Any],
    source: Any,
    info: Info,
    given: dict[str, Any],
) -> Any:
    """Through the field's extensions, which are handed the info beside the arguments."""
    wants_info = given.pop("info", None) is not None

    def innermost(source: Any, info: Info, **given: Any) -> Any:
        if wants_info:
            given["info"] = info
        return result(source, info, first, given)

    chain: Any = innermost
    for resolver in resolvers:
        chain = partial(resolver, chain)
    return chain(source, info, **given)
