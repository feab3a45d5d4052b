"""The engine's ways in: a Strawberry extension that sets the result before graphql-core would be asked for it, and one
past Strawberry's stages for a schema that knows that no other extension stands in them."""

import asyncio
import logging
from typing import Any, Final

from graphql import ExecutionResult, OperationType
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from graph.engine import reference_executor
from graph.engine.executor import Run
from graph.engine.plan_cache import ROOM, Plans
from graph.engine.reference_executor import Outcomes

logger: Final = logging.getLogger("clientela.engine")


class Entrance:
    """What goes last into a schema's extensions, one for each schema. `schema.execute_sync` goes by it."""

    def __init__(self, room: int = ROOM) -> None:
        self._engine = Engine(Plans(room))

    def __call__(self) -> SchemaExtension:
        return _Entering(self._engine) if _in_a_loop() else SchemaExtension()

    async def answer(self, context: ExecutionContext) -> ExecutionResult:
        """What Strawberry's execution stage comes to, for a document that was validated."""
        result = await self._engine.answer(context)
        return await reference_executor.answered(context, Outcomes()) if result is None else result


class _Entering(SchemaExtension):
    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    async def on_execute(self) -> None:  # type: ignore[override] # Strawberry calls a plain function before the stage.
        self.execution_context.result = await self._engine.answer(self.execution_context)


class Engine:
    """Of one schema: it answers what there is a plan for, and leaves the rest to graphql-core by answering None."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._fits: bool | None = None
        self._running = 0

    async def answer(self, context: ExecutionContext) -> ExecutionResult | None:
        schema: Any = context.schema
        if self._fits is None:
            self._fits = _fits(schema)
        found = self._plans.find(context) if self._fits else None
        if found is None:
            return None
        executor, plan = found
        run = Run(schema, executor, plan, self._alone)
        self._running += 1
        try:
            return ExecutionResult(await run.data(), None)
        except Exception as error:
            logger.debug("left to the reference: %r", error, exc_info=error)
        finally:
            self._running -= 1
        _forget_loaders(context.context)
        mutation = plan.operation is OperationType.MUTATION
        outcomes = run.outcomes if mutation else run.outcomes.of_a_query()
        return await reference_executor.answered(context, outcomes) if outcomes else None

    def _alone(self) -> bool:
        return self._running == 1


def _fits(schema: Any) -> bool:
    """Whether the engine does all that this schema would have done: no extension that wants to see every field, no
    other way to read attributes, no errors that become results, no answers in parts."""
    watched = any(type(each).resolve is not SchemaExtension.resolve for each in schema.get_extensions())
    config = schema.config
    if schema.exception_handlers:
        return False
    return not watched and config.default_resolver is getattr and not config.enable_experimental_incremental_execution


def _forget_loaders(context: Any) -> None:
    """Those of graphql-core start afresh where it starts afresh."""
    loaders = getattr(context, "loaders", None)
    if loaders:
        loaders.clear()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
