"""The Strawberry schema behind the doors: every document of it is read by `Documents`, whoever executes it."""

from collections.abc import Callable, Iterable
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from graph.limits import Limits
from graph.protocol.documents import Documents
from graph.protocol.stages import StagesRunner


class Schema(strawberry.Schema):
    """Made like any Strawberry schema. The context of an operation has `viewer`; None stands for a stranger."""

    def __init__(
        self,
        query: type,
        *,
        limits: Limits | None = None,
        introspection: bool = True,
        extensions: Iterable[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
        **named: Any,
    ) -> None:
        super().__init__(query, extensions=(lambda: _Gate(self.documents), *extensions), **named)
        self.limits = limits or Limits()
        self.documents = Documents(self, self.limits, introspection=introspection)

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> StagesRunner:
        return StagesRunner(execution_context, extensions)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry logs every error here with a traceback, a client's too; `answers.py` logs the bugs instead."""


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
