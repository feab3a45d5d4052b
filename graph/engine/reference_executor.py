"""Execution by graphql-core, starting from the results of root resolvers that have already run."""

from collections.abc import Callable
from typing import Any, cast

from graphql import ExecutionResult, GraphQLResolveInfo, execute
from graphql.execution import MiddlewareManager
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionContext


class RootOutcomes:
    """What root resolvers returned or raised, by response key."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._errors: dict[str, Exception] = {}

    def __bool__(self) -> bool:
        return bool(self._values or self._errors)

    def record_value(self, key: str, value: Any) -> None:
        self._values[key] = value

    def record_error(self, key: str, error: Exception) -> None:
        self._errors[key] = error

    def for_query_retry(self) -> "RootOutcomes":
        """The errors alone: a query's resolvers may run again, but one that timed out would time out again.

        Values are dropped, because their rows may lack columns that graphql-core reads. An AttributeError comes from
        such a row, so it is dropped as well.
        """
        errors_only = RootOutcomes()
        errors_only._errors = {
            key: error for key, error in self._errors.items() if not isinstance(error, AttributeError)
        }
        return errors_only

    def resolve(self, next_: Callable[..., Any], source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """Middleware of graphql-core: replays the outcome of a root resolver that has run."""
        if info.path.prev is None:
            key = str(info.path.key)
            if key in self._errors:
                raise self._errors[key]
            if key in self._values:
                return self._values[key]
        return next_(source, info, **arguments)


async def execute_with_reference(context: ExecutionContext, outcomes: RootOutcomes) -> ExecutionResult:
    """graphql-core's result, with the arguments that Strawberry passes. Root resolvers with an outcome do not run."""
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
