"""Cached operations: what graphql-core computes from a document, ready for the variables of each run."""

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
from graph.engine.lru_cache import WeightedLruCache
from graph.engine.planner import OperationPlan

MAX_PLANS_PER_OPERATION: Final = 20
"""An operation has one plan for each combination of values in its @skip and @include conditions."""

# Values of these classes are coerced to themselves.
_UNCHANGED_CLASSES: Final = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}
_INT_LIMIT: Final = 2**31


@dataclass(frozen=True, slots=True)
class OperationVariable:
    """A variable that an operation declares."""

    name: str
    node: VariableDefinitionNode
    type: Any
    unchanged_class: type | None
    """The class whose values are coerced to themselves, if any."""
    is_required: bool
    is_nested: bool
    """Whether the type is an input object, so that values contain other values."""

    def coerce(self, value: Any) -> Any:
        """The value that graphql-core would make of it; Undefined if graphql-core would reject it."""
        if value.__class__ is self.unchanged_class and (
            value.__class__ is not int or -_INT_LIMIT <= value < _INT_LIMIT
        ):
            return value
        if self.is_nested and input_is_nested_too_deeply(value, self.type):
            return Undefined
        return coerce_input_value(value, self.type)


@dataclass(slots=True)
class CachedOperation:
    """One operation of a document.

    It holds a reference to the document, so that `id(document)`, the cache's key, stays unique.
    """

    document: DocumentNode
    executor: Executor[Any]
    """The template: `executor_for` copies it for each run."""
    variables: tuple[OperationVariable, ...]
    condition_variables: tuple[str, ...]
    """The variables that @skip and @include depend on."""
    plans: WeightedLruCache[OperationPlan | None] = field(
        default_factory=lambda: WeightedLruCache(MAX_PLANS_PER_OPERATION)
    )
    """The plans by `plan_key`; None for what cannot be planned."""

    def executor_for(self, context: ExecutionContext) -> Executor[Any] | None:
        """A graphql-core executor for this run; None if graphql-core would reject the variables."""
        values = self._coerce_variables(context.variables or {})
        if values is None:
            return None
        # As in `build_per_event_executor`, without the overhead of `copy.copy`.
        executor: Any = object.__new__(type(self.executor))
        executor.__dict__.update(self.executor.__dict__)
        executor.collected_errors = CollectedErrors()
        executor.root_value = context.root_value
        # Only fragment variables need the sources of the values, and those are not planned.
        executor.variable_values = VariableValues({}, values)
        executor.context_value = context.context
        executor.operation_extensions = context.operation_extensions
        return executor

    def plan_key(self, executor: Executor[Any]) -> Hashable:
        """The values of the condition variables, which identify a plan."""
        values = executor.variable_values.coerced
        return tuple([values.get(name) for name in self.condition_variables])

    def _coerce_variables(self, raw_values: Mapping[str, Any]) -> dict[str, Any] | None:
        """As `graphql.execution.values.coerce_variable_values`, without looking up the declared types in every run."""
        coerced: dict[str, Any] = {}
        for variable in self.variables:
            value = raw_values.get(variable.name, Undefined)
            if value is not Undefined:
                value = variable.coerce(value)
            elif variable.node.default_value:
                # A signature caches its default value, and a resolver might change a list or an object in it.
                signature: Any = get_variable_signature(self.executor.schema, variable.node)
                value = coerce_default_value(signature)
            elif not variable.is_required:
                continue
            if value is Undefined:
                return None
            coerced[variable.name] = value
        return coerced


def build_operation(context: ExecutionContext) -> CachedOperation | None:
    """The operation that the context names; None if graphql-core would reject it or its variables."""
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
    condition_variables = planner.condition_variables(context.graphql_document)
    return CachedOperation(context.graphql_document, executor, _variables(executor), condition_variables)


def _variables(executor: Executor[Any]) -> tuple[OperationVariable, ...]:
    nodes = executor.operation.variable_definitions or ()
    variables = []
    for node, (name, source) in zip(nodes, executor.variable_values.sources.items(), strict=True):
        type_: Any = source.signature.type
        unchanged_class = _UNCHANGED_CLASSES.get(get_nullable_type(type_))
        is_nested = not is_leaf_type(get_named_type(type_))
        is_required = is_non_null_type(type_)
        variables.append(OperationVariable(name, node, type_, unchanged_class, is_required, is_nested))
    return tuple(variables)
