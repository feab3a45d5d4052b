"""The Strawberry schema of the transports. All its documents come from the DocumentCache."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.utils.await_maybe import await_maybe

from graph.limits import Limits
from graph.transport.documents import DocumentCache, ParsedDocument
from graph.transport.extension_runner import CachedHooksRunner
from graph.transport.request_parsing import GraphQLRequest

Extension = type[SchemaExtension] | Callable[[], SchemaExtension]

_STAGE_HOOKS: Final = ("on_operation", "on_parse", "on_validate", "on_execute", "resolve")


class ExecutionEngine(Protocol):
    """An engine that executes operations: as a factory of a Strawberry extension, or directly."""

    def __call__(self) -> SchemaExtension: ...

    async def execute(self, context: ExecutionContext) -> Any: ...


class Schema(strawberry.Schema):
    """A Strawberry schema. The context of an operation has a `viewer`; None means an anonymous caller."""

    documents: DocumentCache

    def __init__(
        self,
        query: type,
        *,
        limits: Limits | None = None,
        introspection: bool = True,
        extensions: Iterable[Extension] = (),
        engine: ExecutionEngine | None = None,
        **options: Any,
    ) -> None:
        others = tuple(extensions)
        last = [engine] if engine else []
        super().__init__(query, extensions=(lambda: _DocumentExtension(self.documents), *others, *last), **options)
        self.limits = limits or Limits()
        self.documents = DocumentCache(self, self.limits, introspection=introspection)
        # Without other extensions that have stage hooks, the engine can bypass Strawberry's stages.
        self._direct_engine = engine if not any(map(_has_stage_hooks, others)) else None
        self._result_extensions = [each for each in others if _has_hook(each, "get_results")]

    async def execute_document(self, request: GraphQLRequest, document: ParsedDocument, context: Any) -> Any:
        """The result of `execute` for a document that is already parsed.

        It bypasses Strawberry's stages if no extension needs them, because they cost as much as a small response.
        """
        if self._direct_engine is None:
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
            provided_operation_name=document.operation_name(request.operation_name),
            graphql_document=document.node,
            validation_rules=(),
            operation_extensions=request.extensions,
        )
        errors = self.documents.validation_errors(document, signed_in=context.viewer is not None)
        result: Any = ExecutionResult(None, errors) if errors else await self._direct_engine.execute(operation)
        result.extensions = await self._extension_results(operation)
        return result

    async def _extension_results(self, operation: ExecutionContext) -> dict[str, Any] | None:
        """The `extensions` of the response."""
        results: dict[str, Any] = operation.extensions_results
        for create_extension in self._result_extensions:
            extension: Any = create_extension()
            extension.execution_context = operation
            added = extension.get_results()
            results |= added if added.__class__ is dict else await await_maybe(added)
        return results

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> CachedHooksRunner:
        return CachedHooksRunner(execution_context, extensions)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Does nothing. Strawberry would log every error with a traceback; `responses.py` logs the bugs instead."""


def _has_hook(extension: Extension, name: str) -> bool:
    class_ = extension if isinstance(extension, type) else type(extension())
    return getattr(class_, name) is not getattr(SchemaExtension, name)


def _has_stage_hooks(extension: Extension) -> bool:
    return any(_has_hook(extension, name) for name in _STAGE_HOOKS)


class _DocumentExtension(SchemaExtension):
    """Passes the cached document and its validation errors to Strawberry."""

    def __init__(self, documents: DocumentCache) -> None:
        self._documents = documents

    def on_parse(self) -> None:  # type: ignore[override] # Strawberry calls a plain function before the stage.
        context = self.execution_context
        if context.query:
            signed_in = getattr(context.context, "viewer", None) is not None
            document = self._documents.get_or_parse(context.query, signed_in=signed_in)
            context.graphql_document = document.node
            # A list, even an empty one, keeps Strawberry from validating again.
            context.pre_execution_errors = self._documents.validation_errors(document, signed_in=signed_in)
