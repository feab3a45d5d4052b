"""An operation that was met before: what graphql-core made of it then, ready for the variables of the next run."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLBoolean,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.executor import CollectedErrors
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, input_is_nested_too_deeply
from graphql.utilities import coerce_input_value
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionContext

from graph.engine import planner
from graph.engine.planner import Plan

# A document has several operations, and each of them one plan for every choice of what is skipped and included.
MOST: Final = 20

# Values of these classes are coerced to themselves.
_AS_THEY_ARE: Final = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}
_BEYOND: Final = 2**31


@dataclass(frozen=True, slots=True)
class Variable:
    """One that an operation declares."""

    name: str
    node: VariableDefinitionNode
    type: Any
    as_it_is: type | None
    """Of what is coerced to itself."""
    required: bool
    nested: bool
    """Whether a value may hold others."""

    def coerced(self, value: Any) -> Any:
        """As graphql-core coerces what was given; Undefined where it would refuse it."""
        if value.__class__ is self.as_it_is and (value.__class__ is not int or -_BEYOND <= value < _BEYOND):
            return value
        if self.nested and input_is_nested_too_deeply(value, self.type):
            return Undefined
        return coerce_input_value(value, self.type)


@dataclass(slots=True)
class Operation:
    """One of a document. The document is held here, so that its identity, by which it is found, stays its own."""

    document: DocumentNode
    executor: Executor[Any]
    """Of no run: `of_run` makes a copy for each."""
    variables: tuple[Variable, ...]
    conditions: tuple[str, ...]
    """The variables that decide what is skipped and included."""
    plans: dict[Hashable, Plan | None] = field(default_factory=dict)

    def of_run(self, context: ExecutionContext) -> Executor[Any] | None:
        """What knows of this run all that graphql-core knows; None where it would refuse the variables."""
        values = self._coerced(context.variables or {})
        if values is None:
            return None
        # As `build_per_event_executor` does it, but for what `copy` asks before it copies.
        executor: Any = object.__new__(type(self.executor))
        executor.__dict__.update(self.executor.__dict__)
        executor.collected_errors = CollectedErrors()
        executor.root_value = context.root_value
        # Where the values came from is asked of fragments' variables alone, and those are not planned.
        executor.variable_values = VariableValues({}, values)
        executor.context_value = context.context
        executor.operation_extensions = context.operation_extensions
        return executor

    def choice(self, executor: Executor[Any]) -> Hashable:
        """What the conditions come to: the key of a plan."""
        values = executor.variable_values.coerced
        return tuple([values.get(name) for name in self.conditions])

    def _coerced(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """As `graphql.execution.values.coerce_variable_values`, with what it works out anew for every run kept."""
        coerced: dict[str, Any] = {}
        for variable in self.variables:
            value = given.get(variable.name, Undefined)
            if value is not Undefined:
                value = variable.coerced(value)
            elif variable.node.default_value:
                # A signature of its own, for it keeps the value, and a resolver might change a list or an object.
                signature: Any = get_variable_signature(self.executor.schema, variable.node)
                value = coerce_default_value(signature)
            elif not variable.required:
                continue
            if value is Undefined:
                return None
            coerced[variable.name] = value
        return coerced


def first_met(context: ExecutionContext) -> Operation | None:
    """None where graphql-core would refuse the operation or its variables."""
    schema: Any = context.schema
    assert context.graphql_document is not None
    executor = schema.execution_context_class.build(
        schema._schema,
        context.graphql_document,
        raw_variable_values=context.variables,
        operation_name=context.operation_name,
        is_awaitable=optimized_is_awaitable,
    )
    if not isinstance(executor, Executor):
        return None
    conditions = planner.conditions(context.graphql_document)
    return Operation(context.graphql_document, executor, _variables(executor), conditions)


def _variables(executor: Executor[Any]) -> tuple[Variable, ...]:
    nodes = executor.operation.variable_definitions or ()
    found = []
    for node, (name, known) in zip(nodes, executor.variable_values.sources.items(), strict=True):
        type_: Any = known.signature.type
        as_it_is = _AS_THEY_ARE.get(get_nullable_type(type_))
        nested = not is_leaf_type(get_named_type(type_))
        found.append(Variable(name, node, type_, as_it_is, is_non_null_type(type_), nested))
    return tuple(found)
