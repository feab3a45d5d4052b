"""The entry points of the engine: a Strawberry extension, and `execute` for callers that bypass Strawberry's stages."""

import asyncio
import logging
from typing import Any, Final

from graphql import ExecutionResult, OperationType
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from graph.engine import reference_executor
from graph.engine.executor import OperationRun
from graph.engine.plan_cache import MAX_PLAN_CACHE_CHARACTERS, PlanCache
from graph.engine.reference_executor import RootOutcomes

logger: Final = logging.getLogger("clientela.engine")


class BreadthFirstEngine:
    """Executes the operations of one schema. Put it last among the schema's extensions.

    Called as an extension factory, it returns an extension that sets the result before graphql-core would run. Outside
    an event loop (`schema.execute_sync`) the extension does nothing, so graphql-core executes the operation.
    """

    def __init__(self, plan_cache_capacity: int = MAX_PLAN_CACHE_CHARACTERS) -> None:
        self._plans = PlanCache(plan_cache_capacity)
        self._supports_schema: bool | None = None
        self._running_operations = 0

    def __call__(self) -> SchemaExtension:
        return _EngineExtension(self) if _has_running_loop() else SchemaExtension()

    async def execute(self, context: ExecutionContext) -> ExecutionResult:
        """The result of a validated document, as Strawberry's execution stage would produce it."""
        result = await self.try_execute(context)
        return await reference_executor.execute_with_reference(context, RootOutcomes()) if result is None else result

    async def try_execute(self, context: ExecutionContext) -> ExecutionResult | None:
        """The result; None if graphql-core must execute the whole operation.

        If the run fails after root resolvers have run, graphql-core completes the operation here from their outcomes.
        """
        if self._supports_schema is None:
            self._supports_schema = _supports(context.schema)
        planned = self._plans.get_or_plan(context) if self._supports_schema else None
        if planned is None:
            return None
        executor, plan = planned
        schema: Any = context.schema
        run = OperationRun(schema, executor, plan, self._is_only_operation)
        self._running_operations += 1
        try:
            return ExecutionResult(await run.execute(), None)
        except Exception as error:
            logger.debug("left to the reference: %r", error, exc_info=error)
        finally:
            self._running_operations -= 1
        _clear_loaders(context.context)
        mutation = plan.operation is OperationType.MUTATION
        outcomes = run.root_outcomes if mutation else run.root_outcomes.for_query_retry()
        return await reference_executor.execute_with_reference(context, outcomes) if outcomes else None

    def _is_only_operation(self) -> bool:
        return self._running_operations == 1


class _EngineExtension(SchemaExtension):
    def __init__(self, engine: BreadthFirstEngine) -> None:
        self._engine = engine

    async def on_execute(self) -> None:  # type: ignore[override] # Strawberry calls a plain function before the stage.
        self.execution_context.result = await self._engine.try_execute(self.execution_context)


def _supports(schema: Any) -> bool:
    """Whether the engine does all that the schema's configuration asks for.

    It does not support extensions with a `resolve` hook, other ways to read attributes, exceptions that become
    results, and incremental delivery.
    """
    has_resolve_hook = any(type(ext).resolve is not SchemaExtension.resolve for ext in schema.get_extensions())
    config = schema.config
    if schema.exception_handlers:
        return False
    has_default_options = config.default_resolver is getattr and not config.enable_experimental_incremental_execution
    return not has_resolve_hook and has_default_options


def _clear_loaders(context: Any) -> None:
    """Gives graphql-core empty dataloaders, because it starts the operation again."""
    loaders = getattr(context, "loaders", None)
    if loaders:
        loaders.clear()


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
