"""The Strawberry schema behind the doors: every document of it is read by `Documents`, whoever executes it."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.utils.await_maybe import await_maybe

from graph.limits import Limits
from graph.transport.documents import Document, Documents
from graph.transport.extension_runner import StagesRunner
from graph.transport.request_parsing import Request

Extension = type[SchemaExtension] | Callable[[], SchemaExtension]

_STAGES: Final = ("on_operation", "on_parse", "on_validate", "on_execute", "resolve")


class Entrance(Protocol):
    """An engine's two ways in: by Strawberry's extensions, and at once."""

    def __call__(self) -> SchemaExtension: ...

    async def answer(self, context: ExecutionContext) -> Any: ...


class Schema(strawberry.Schema):
    """Made like any Strawberry schema. The context of an operation has `viewer`; None stands for a stranger."""

    documents: Documents

    def __init__(
        self,
        query: type,
        *,
        limits: Limits | None = None,
        introspection: bool = True,
        extensions: Iterable[Extension] = (),
        entrance: Entrance | None = None,
        **named: Any,
    ) -> None:
        others = tuple(extensions)
        last = [entrance] if entrance else []
        super().__init__(query, extensions=(lambda: _Gate(self.documents), *others, *last), **named)
        self.limits = limits or Limits()
        self.documents = Documents(self, self.limits, introspection=introspection)
        # The engine is asked at once where nobody stands between it and the doors.
        self._entrance = entrance if not any(map(_has_stages, others)) else None
        self._telling = [each for each in others if _kind(each).get_results is not SchemaExtension.get_results]

    async def answer(self, request: Request, document: Document, context: Any) -> Any:
        """What `execute` comes to, for a document that was read already and an operation that it has.

        Past Strawberry's stages where no extension would see them, for they cost as much as a small answer.
        """
        if self._entrance is None:
            return await self.execute(
                request.query,
                variable_values=request.variables,
                context_value=context,
                operation_name=request.operation_name,
                operation_extensions=request.extensions,
            )
        operation = ExecutionContext(
            request.query,
            self,
            (),
            context,
            request.variables,
            provided_operation_name=document.name_of(request.operation_name),
            graphql_document=document.node,
            validation_rules=(),
            operation_extensions=request.extensions,
        )
        problems = self.documents.validated(document, signed_in=context.viewer is not None)
        result: Any = ExecutionResult(None, problems) if problems else await self._entrance.answer(operation)
        result.extensions = await self._told(operation)
        return result

    async def _told(self, operation: ExecutionContext) -> dict[str, Any] | None:
        """What extensions add to the answer."""
        told: dict[str, Any] = operation.extensions_results
        for each in self._telling:
            extension: Any = each()
            extension.execution_context = operation
            added = extension.get_results()
            told |= added if added.__class__ is dict else await await_maybe(added)
        return told

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> StagesRunner:
        return StagesRunner(execution_context, extensions)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry logs every error here with a traceback, a client's too; `answers.py` logs the bugs instead."""


def _kind(extension: Extension) -> type[SchemaExtension]:
    return extension if isinstance(extension, type) else type(extension())


def _has_stages(extension: Extension) -> bool:
    kind = _kind(extension)
    return any(getattr(kind, stage) is not getattr(SchemaExtension, stage) for stage in _STAGES)


class _Gate(SchemaExtension):
    """Hands Strawberry the remembered document and what validation said of it."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_parse(self) -> None:  # type: ignore[override] # Strawberry calls a plain function before the stage.
        context = self.execution_context
        if context.query:
            signed_in = getattr(context.context, "viewer", None) is not None
            document = self._documents.read(context.query, signed_in=signed_in)
            context.graphql_document = document.node
            # Set here, even to none at all, it keeps Strawberry from validating again.
            context.pre_execution_errors = self._documents.validated(document, signed_in=signed_in)
