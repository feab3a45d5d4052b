"""An operation that was met before: what graphql-core made of it then, ready for the variables of the next run."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import DocumentNode, Undefined, get_named_type, is_leaf_type, is_non_null_type
from graphql.execution import Executor
from graphql.execution.executor import CollectedErrors
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, input_is_nested_too_deeply
from graphql.utilities import coerce_input_value
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionContext

from graph.engine import planning
from graph.engine.planning import Plan

# A document has several operations, and each of them one plan for every choice of what is skipped and included.
MOST: Final = 20


@dataclass(slots=True)
class Operation:
    """One of a document. The document is held here, so that its identity, by which it is found, stays its own."""

    document: DocumentNode
    executor: Executor[Any]
    """Of no run: `of_run` makes a copy for each."""
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
        executor.variable_values = values
        executor.context_value = context.context
        executor.operation_extensions = context.operation_extensions
        return executor

    def choice(self, executor: Executor[Any]) -> Hashable:
        """What the conditions come to: the key of a plan."""
        values = executor.variable_values.coerced
        return tuple([values.get(name) for name in self.conditions])

    def _coerced(self, given: Mapping[str, Any]) -> VariableValues | None:
        """As `graphql.execution.values.coerce_variable_values`, with what it works out anew for every run kept."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        nodes = self.executor.operation.variable_definitions or ()
        for node, (name, known) in zip(nodes, self.executor.variable_values.sources.items(), strict=True):
            type_, value = known.signature.type, given.get(name, Undefined)
            sources[name] = VariableValueSource(known.signature, value)
            if value is not Undefined:
                if not is_leaf_type(get_named_type(type_)) and input_is_nested_too_deeply(value, type_):
                    return None
                value = coerce_input_value(value, type_)
            elif node.default_value:
                # A signature of its own, for it keeps the value, and a resolver might change a list or an object.
                signature: Any = get_variable_signature(self.executor.schema, node)
                value = coerce_default_value(signature)
            elif not is_non_null_type(type_):
                continue
            if value is Undefined:
                return None
            coerced[name] = value
        return VariableValues(sources, coerced)


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
    return Operation(context.graphql_document, executor, planning.conditions(context.graphql_document))
