"""Compiles arguments and resolver calls, so that a run repeats only what depends on its variables and objects."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from graphql import GraphQLField, Undefined
from graphql.execution.collect_fields import FieldDetails
from strawberry import Info, Schema
from strawberry.extensions.field_extension import FieldExtension, build_field_extension_resolvers
from strawberry.types.field import StrawberryField

from graph.engine import argument_values
from graph.engine.fallback import FallbackRequired
from graph.engine.input_conversion import ConvertInput, InputConversions

BuildArguments = Callable[[Mapping[str, Any], Info], dict[str, Any]]
"""Returns the Python arguments for the coerced variables and the field's info."""

CallResolver = Callable[[Any, Info, dict[str, Any]], Any]
"""Calls the resolver with an object, the field's info and the arguments. The result may be awaitable."""

# The name in GraphQL, the name in Python, the value, and its conversion for Strawberry.
_CompiledArgument = tuple[str, str, argument_values.ComputeValue, ConvertInput | None]


def compile_arguments(
    inputs: InputConversions, schema: Schema, field: GraphQLField, declaration: StrawberryField, details: FieldDetails
) -> BuildArguments:
    """Builds the arguments of a field. Raises FallbackRequired if graphql-core must compute or reject them."""
    if details.fragment_variable_values:
        raise FallbackRequired("a fragment has variables")
    nodes = {argument.name.value: argument.value for argument in details.node.arguments or ()}
    compiled: list[_CompiledArgument] = []
    for argument in declaration.arguments:
        name = schema.config.name_converter.from_argument(argument)
        compute = argument_values.compile_argument(field.args[name], nodes.get(name))
        if not isinstance(compute, argument_values.Constant) or compute.value is not Undefined:
            compiled.append((name, argument.python_name, compute, inputs.conversion_for(argument.type)))
    return partial(_build_arguments, compiled)


def _build_arguments(compiled: list[_CompiledArgument], variables: Mapping[str, Any], info: Info) -> dict[str, Any]:
    arguments = {}
    for name, python_name, compute, convert in compiled:
        value = compute(variables)
        if value is not Undefined:
            arguments[python_name] = value if convert is None else convert(value, info, (name,))
    return arguments


def compile_call(declaration: StrawberryField) -> CallResolver:
    """Calls a field's resolver with its permissions and extensions.

    It does what the function does that `strawberry.schema.schema_converter.from_resolver` returns.
    """
    if declaration.is_basic_field:
        return lambda source, info, arguments: declaration.get_result(source, info=None, args=[], kwargs={})
    extension_resolvers = build_field_extension_resolvers(declaration)
    argument_mappings = [
        extension.map_arguments
        for extension in declaration.extensions
        if type(extension).map_arguments is not FieldExtension.map_arguments
    ]
    get_result = _result_function(declaration)
    base = declaration.base_resolver
    takes_self = base is not None and base.self_parameter is not None
    source_names = [each.name for each in (base.parent_parameter, base.root_parameter) if each] if base else []
    info_names = [base.info_parameter.name] if base and base.info_parameter else []

    def call(source: Any, info: Info, arguments: dict[str, Any]) -> Any:
        for map_arguments in argument_mappings:
            arguments = map_arguments(arguments)
        positional = [source] if takes_self else []
        arguments |= dict.fromkeys(source_names, source) | dict.fromkeys(info_names, info)
        if not extension_resolvers:
            return get_result(source, info, positional, arguments)
        return _call_with_extensions(get_result, extension_resolvers, positional, source, info, arguments)

    return call


def _result_function(declaration: StrawberryField) -> Callable[[Any, Info, list[Any], dict[str, Any]], Any]:
    """The field's `get_result`, or a direct call of its function if the field does not override `get_result`."""
    base = declaration.base_resolver
    is_overridden = type(declaration).get_result is not StrawberryField.get_result
    if base is not None and not is_overridden and callable(base.wrapped_func):
        function: Any = base.wrapped_func
        return lambda source, info, args, kwargs: function(*args, **kwargs)
    return lambda source, info, args, kwargs: declaration.get_result(source, info=info, args=args, kwargs=kwargs)


def _call_with_extensions(
    get_result: Callable[[Any, Info, list[Any], dict[str, Any]], Any],
    extension_resolvers: list[Any],
    positional: list[Any],
    source: Any,
    info: Info,
    arguments: dict[str, Any],
) -> Any:
    """Calls the chain of field extensions, which receive the info beside the arguments."""
    wants_info = arguments.pop("info", None) is not None

    def innermost(source: Any, info: Info, **arguments: Any) -> Any:
        if wants_info:
            arguments["info"] = info
        return get_result(source, info, positional, arguments)

    chain: Any = innermost
    for resolver in extension_resolvers:
        chain = partial(resolver, chain)
    return chain(source, info, **arguments)
