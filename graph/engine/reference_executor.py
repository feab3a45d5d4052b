"""Handing an operation over to graphql-core, with what its root resolvers came to: none of those runs twice."""

from collections.abc import Callable
from typing import Any, cast

from graphql import ExecutionResult, GraphQLResolveInfo, execute
from graphql.execution import MiddlewareManager
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionContext


class Outcomes:
    """What root resolvers returned or raised, by the keys of the answer."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._errors: dict[str, Exception] = {}

    def __bool__(self) -> bool:
        return bool(self._values or self._errors)

    def succeeded(self, key: str, value: Any) -> None:
        self._values[key] = value

    def failed(self, key: str, error: Exception) -> None:
        self._errors[key] = error

    def of_a_query(self) -> "Outcomes":
        """What is worth keeping where resolvers may run again: failures, for the second try would take as long.

        What was read may lack columns that graphql-core asks for, and the AttributeError of such a row is not kept.
        """
        kept = Outcomes()
        kept._errors = {key: error for key, error in self._errors.items() if not isinstance(error, AttributeError)}
        return kept

    def resolve(self, next_: Callable[..., Any], source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """Middleware of graphql-core: stands in for the resolvers that have run."""
        if info.path.prev is None:
            key = str(info.path.key)
            if key in self._errors:
                raise self._errors[key]
            if key in self._values:
                return self._values[key]
        return next_(source, info, **arguments)


async def answered(context: ExecutionContext, outcomes: Outcomes) -> ExecutionResult:
    """graphql-core's answer, executed as Strawberry has it do, but from these outcomes on."""
    assert context.graphql_document is not None
    schema: Any = context.schema
    result: Any = execute(
        schema._schema,
        context.graphql_document,
        root_value=context.root_value,
        middleware=MiddlewareManager(outcomes) if outcomes else None,
        variable_values=context.variables,
        operation_name=context.operation_name,
        context_value=context.context,
        is_awaitable=cast(Any, optimized_is_awaitable),
        executor_class=schema.execution_context_class,
        operation_extensions=context.operation_extensions,
    )
    return await result if optimized_is_awaitable(result) else result
