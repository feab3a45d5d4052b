"""The plans of recent operations, created when an operation first runs."""

from typing import Any, Final

from graphql.execution import Executor
from strawberry import Schema
from strawberry.types import ExecutionContext

from graph.engine import operation_cache, planner
from graph.engine.lru_cache import WeightedLruCache
from graph.engine.operation_cache import CachedOperation
from graph.engine.planner import OperationPlan

MAX_PLAN_CACHE_CHARACTERS: Final = 200_000
"""The capacity. An operation weighs as much as its document has characters, plus the fields of its plans."""

# The weight of a planned field, in characters.
_CHARACTERS_PER_FIELD: Final = 20


class PlanCache:
    """The plans of one schema."""

    def __init__(self, capacity: int = MAX_PLAN_CACHE_CHARACTERS) -> None:
        self._operations: WeightedLruCache[CachedOperation] = WeightedLruCache(capacity)

    def __len__(self) -> int:
        return len(self._operations)

    @property
    def total_weight(self) -> int:
        return self._operations.total_weight

    def get_or_plan(self, context: ExecutionContext) -> tuple[Executor[Any], OperationPlan] | None:
        """The plan and the executor that holds this run's variables; None if graphql-core must execute the operation.

        The document is identified by `id()`: the transport hands over the same object for the same text.
        """
        key = (id(context.graphql_document), context.operation_name)
        operation = self._operations.get(key)
        if operation is None:
            operation = operation_cache.build_operation(context)
            if operation is None:
                return None
            self._operations.put(key, operation, _weight(operation))
        executor = operation.executor_for(context)
        if executor is None:
            return None
        plan_key = operation.plan_key(executor)
        if plan_key not in operation.plans:
            operation.plans.put(plan_key, _plan(context.schema, executor))
            self._operations.put(key, operation, _weight(operation))
        plan = operation.plans.get(plan_key)
        return (executor, plan) if plan is not None else None


def _weight(operation: CachedOperation) -> int:
    length = len(operation.document.loc.source.body) if operation.document.loc else 0
    return length + sum(_CHARACTERS_PER_FIELD * (plan.weight if plan else 1) for plan in operation.plans.values())


def _plan(schema: Schema, executor: Executor[Any]) -> OperationPlan | None:
    try:
        return planner.plan_operation(schema, executor)
    except Exception as error:
        # For example an argument that cannot be coerced: graphql-core finds it again and words the error.
        planner.logger.debug("not planned: %r", error)
        return None
