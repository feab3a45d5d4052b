"""The plans of the operations run last, made when first asked for."""

from typing import Any, Final

from graphql.execution import Executor
from strawberry import Schema
from strawberry.types import ExecutionContext

from graph.engine import operation_cache, planner
from graph.engine.lru_cache import Recent
from graph.engine.operation_cache import MOST, Operation
from graph.engine.planner import Plan

# In characters of source: a document weighs its length, and each field of a plan as much as this many.
ROOM: Final = 200_000
_FIELD: Final = 20


class Plans:
    """Of one schema."""

    def __init__(self, room: int = ROOM) -> None:
        self._operations: Recent[Operation] = Recent(room)

    def __len__(self) -> int:
        return len(self._operations)

    @property
    def weight(self) -> int:
        return self._operations.weight

    def find(self, context: ExecutionContext) -> tuple[Executor[Any], Plan] | None:
        """How to run it; None for what is left to graphql-core."""
        key = (id(context.graphql_document), context.operation_name)
        operation = self._operations.get(key)
        if operation is None:
            operation = operation_cache.first_met(context)
            if operation is None:
                return None
            self._operations.keep(key, operation, _weight(operation))
        executor = operation.of_run(context)
        if executor is None:
            return None
        choice = operation.choice(executor)
        if choice not in operation.plans:
            if len(operation.plans) >= MOST:
                operation.plans.clear()
            operation.plans[choice] = _planned(context.schema, executor)
            self._operations.keep(key, operation, _weight(operation))
        plan = operation.plans[choice]
        return (executor, plan) if plan is not None else None


def _weight(operation: Operation) -> int:
    length = len(operation.document.loc.source.body) if operation.document.loc else 0
    return length + sum(_FIELD * (plan.weight if plan else 1) for plan in operation.plans.values())


def _planned(schema: Schema, executor: Executor[Any]) -> Plan | None:
    try:
        return planner.plan(schema, executor)
    except Exception as error:
        # An argument that cannot be coerced, say: graphql-core finds it again, and says so in its own words.
        planner.logger.debug("not planned: %r", error)
        return None
