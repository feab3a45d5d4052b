"""Runs operations for all transports: authentication, admission, document, time limit, execution and logging."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Hashable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import OperationType

from graph.errors.top_level import BadUserInput, RateLimited, TimedOut, Unauthenticated, limit_error
from graph.transport.admission import Admission
from graph.transport.deadlines import SharedTimeout
from graph.transport.documents import ALL_OPERATION_TYPES, ParsedDocument
from graph.transport.observability import operation_log
from graph.transport.observability.metrics import Metrics
from graph.transport.ports import AuthenticatedViewer, Backend, OperationCaller
from graph.transport.request_parsing import GraphQLRequest
from graph.transport.responses import GraphQLResponse, exception_response, result_response
from graph.transport.schema import Schema
from graph.transport.trusted_documents import TrustedDocuments

SINGLE_RESULT_TYPES: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})
READ_ONLY_TYPES: Final = frozenset({OperationType.QUERY})


@dataclass(slots=True)
class RequestSender:
    """Who sends a request. The token is checked again for every operation."""

    token: str | None = field(repr=False)
    request_id: str
    address: str | None


@dataclass(slots=True)
class _Operation:
    """An operation on its way through the runner. `OperationRunner._prepare` fills in the last three attributes."""

    request: GraphQLRequest
    sender: RequestSender
    started: float
    """`time.perf_counter()` in seconds."""
    viewer: AuthenticatedViewer | None = None
    document: ParsedDocument | None = None
    type: OperationType | None = None


class OperationRunner:
    """Turns parsed requests into responses. `run` and `stream` never raise: errors become responses."""

    def __init__(
        self, schema: Schema, backend: Backend, metrics: Metrics, *, trusted_documents: TrustedDocuments | None = None
    ) -> None:
        self._schema = schema
        self._trusted_documents = trusted_documents
        self._backend = backend
        self._metrics = metrics
        self._streams: Counter[Hashable] = Counter()
        self._admission = Admission(schema.limits)
        self._timeout = SharedTimeout(schema.limits.operation_seconds)
        self.limits = schema.limits
        metrics.add_gauge("operations_running", "Operations running now.", lambda: self._admission.running_count)
        metrics.add_gauge("operations_waiting", "Operations waiting to run.", lambda: self._admission.waiting_count)
        metrics.add_gauge("streams_open", "WebSockets and event streams open.", self._streams.total)

    async def run(
        self,
        request: GraphQLRequest,
        sender: RequestSender,
        allowed_types: Collection[OperationType] = SINGLE_RESULT_TYPES,
    ) -> GraphQLResponse:
        """The response to a query or mutation."""
        return await self._run(_Operation(request, sender, time.perf_counter()), allowed_types)

    async def stream(
        self,
        request: GraphQLRequest,
        sender: RequestSender,
        allowed_types: Collection[OperationType] = ALL_OPERATION_TYPES,
    ) -> AsyncGenerator[GraphQLResponse, None]:
        """The responses to any operation: one for a query or mutation, one per event for a subscription."""
        operation = _Operation(request, sender, time.perf_counter())
        try:
            type_ = await self._prepare(operation, allowed_types)
        except Exception as error:
            response = self.error_response(error, sender)
            self._record(operation, response)
            yield response
            return
        if type_ in SINGLE_RESULT_TYPES:
            yield await self._run(operation, allowed_types)
            return
        response = GraphQLResponse({"data": None})
        try:
            async with aclosing(self._subscription_responses(operation)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._record(operation, response)

    async def require_viewer(self, sender: RequestSender) -> AuthenticatedViewer:
        """The viewer who opens a WebSocket or stream.

        Raises Unauthenticated for an anonymous caller, and whatever `Backend.authenticate` raises.
        """
        viewer = await self._authenticate(sender.token)
        if viewer is None:
            raise Unauthenticated
        return viewer

    async def is_token_valid(self, sender: RequestSender) -> bool:
        """False once the token is revoked. True if the database does not answer, so that streams stay open."""
        try:
            return await self._authenticate(sender.token) is not None
        except Exception:
            return True

    @contextmanager
    def reserve_stream(self, viewer: AuthenticatedViewer) -> Iterator[None]:
        """Counts an open WebSocket or event stream. Raises RateLimited beyond `Limits.streams_per_caller`."""
        caller, limit = viewer.caller, self.limits.streams_per_caller
        if self._streams[caller] >= limit:
            message = f"You can have at most {limit} WebSockets and event streams open."
            raise limit_error(RateLimited, message, name="sockets", limit=limit)
        self._streams[caller] += 1
        try:
            yield
        finally:
            self._streams[caller] -= 1
            if not self._streams[caller]:
                del self._streams[caller]

    def error_response(self, error: Exception, sender: RequestSender) -> GraphQLResponse:
        return exception_response(error, sender.request_id, self._backend.explain_error)

    async def _run(self, operation: _Operation, allowed_types: Collection[OperationType]) -> GraphQLResponse:
        """Waits for a slot, prepares the operation unless that is done, and executes it within the time limit."""
        sender, time_limit = operation.sender, None
        try:
            async with self._admission:
                # The wait for a slot has a limit of its own, so the time limit starts here.
                time_limit = self._timeout.scope()
                with time_limit:
                    if operation.document is None:
                        await self._prepare(operation, allowed_types)
                    assert operation.document is not None
                    context = self._create_context(operation)
                    result = await self._schema.execute_document(operation.request, operation.document, context)
                    response = result_response(result, sender.request_id, self._backend.explain_error)
        except Exception as error:
            # A TimeoutError may also come from a time limit inside the operation.
            timed_out = isinstance(error, TimeoutError) and time_limit is not None and time_limit.has_expired
            response = self.error_response(self._timeout_error() if timed_out else error, sender)
        self._record(operation, response)
        return response

    async def _prepare(self, operation: _Operation, allowed_types: Collection[OperationType]) -> OperationType:
        """Authenticates the sender and finds the document and the operation's type."""
        viewer = operation.viewer = await self._authenticate(operation.sender.token)
        request = operation.request = self._resolve_document(operation.request)
        document = self._schema.documents.get_or_parse(request.query, signed_in=viewer is not None)
        operation.type = document.operation_type(request.operation_name, allowed_types)
        operation.document = document
        return operation.type

    async def _subscription_responses(self, operation: _Operation) -> AsyncGenerator[GraphQLResponse, None]:
        request, sender = operation.request, operation.sender
        try:
            results: Any = await self._schema.stream(
                request.query,
                variable_values=request.variables,
                context_value=self._create_context(operation),
                operation_name=request.operation_name,
                operation_extensions=request.extensions,
            )
            async with aclosing(results):
                async for result in results:
                    yield result_response(result, sender.request_id, self._backend.explain_error)
        except Exception as error:
            yield self.error_response(error, sender)

    async def _authenticate(self, token: str | None) -> AuthenticatedViewer | None:
        return await self._backend.authenticate(token) if token else None

    def _create_context(self, operation: _Operation) -> Any:
        sender = operation.sender
        caller = OperationCaller(operation.viewer, sender.request_id, sender.address, sender.token)
        return self._backend.create_context(caller)

    def _timeout_error(self) -> TimedOut:
        seconds = self.limits.operation_seconds
        message = f"The operation was stopped because it took longer than {seconds:g} seconds."
        return TimedOut(message, limit=seconds, limit_name="operationSeconds")

    def _resolve_document(self, request: GraphQLRequest) -> GraphQLRequest:
        """The request with the text of its document."""
        if self._trusted_documents:
            return self._trusted_documents.resolve(request)
        if not request.query:
            raise BadUserInput("This server has no trusted documents. Send `query`.", reason="DOCUMENT_UNKNOWN")
        return request

    def _record(self, operation: _Operation, response: GraphQLResponse) -> None:
        seconds = time.perf_counter() - operation.started
        type_name = operation.type.value if operation.type else "unknown"
        self._metrics.record_operation(type_name, response.outcome, seconds)
        # Only a name that occurs in the document is safe in a log line.
        name = operation.request.operation_name if operation.type else None
        operation_log.log_operation(
            request_id=operation.sender.request_id,
            kind=type_name,
            operation=name or "-",
            outcome=response.outcome,
            seconds=seconds,
        )
