"""Running an operation, whatever way it came in: a place, the caller, the document, the time limit, the record."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Hashable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import OperationType

from graph.errors.top_level import BadUserInput, RateLimited, TimedOut, Unauthenticated, limit_passed
from graph.transport.admission import Admission
from graph.transport.deadlines import Deadlines
from graph.transport.documents import EVERY_KIND
from graph.transport.observability import operation_log
from graph.transport.observability.metrics import Metrics
from graph.transport.ports import Caller, Doors, Viewer
from graph.transport.request_parsing import Request
from graph.transport.responses import Answer, answered, failed
from graph.transport.schema import Schema
from graph.transport.trusted_documents import Manifest

AT_ONCE: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})
READING: Final = frozenset({OperationType.QUERY})


@dataclass(slots=True)
class Credentials:
    """What a request says of its sender. The token is looked up again for every operation."""

    token: str | None = field(repr=False)
    request_id: str
    address: str | None


class Operations:
    """Everything between a parsed request and its answer; none of it raises to the transports."""

    def __init__(self, schema: Schema, doors: Doors, metrics: Metrics, *, trusted: Manifest | None = None) -> None:
        self._schema = schema
        self._trusted = trusted
        self._doors = doors
        self._metrics = metrics
        self._streams: Counter[Hashable] = Counter()
        self._admission = Admission(schema.limits)
        self._deadlines = Deadlines(schema.limits.operation_seconds)
        self.limits = schema.limits
        metrics.watch("operations_running", "Operations running now.", lambda: self._admission.running)
        metrics.watch("operations_waiting", "Operations waiting for a place.", lambda: self._admission.waiting)
        metrics.watch("streams_open", "Sockets and event streams open.", self._streams.total)

    async def run(self, request: Request, sender: Credentials, kinds: Collection[OperationType] = AT_ONCE) -> Answer:
        """The answer to a query or mutation."""
        started, kind = time.perf_counter(), "unknown"
        time_limit = None
        try:
            async with self._admission:
                # It begins here: waiting for a place has a limit of its own.
                time_limit = self._deadlines.started()
                with time_limit:
                    viewer = await self._viewer(sender.token)
                    request = self._named(request)
                    document = self._schema.documents.read(request.query, signed_in=viewer is not None)
                    kind = document.kind_of(request.operation_name, kinds).value
                    result = await self._schema.answer(request, document, self._context(viewer, sender))
                    answer = answered(result, sender.request_id, self._doors.explain)
        except Exception as error:
            # Something below may have had a time limit of its own.
            late = isinstance(error, TimeoutError) and time_limit is not None and time_limit.expired
            told = self._out_of_time() if late else error
            answer = failed(told, sender.request_id, self._doors.explain)
        self._record(kind, request, answer, sender, time.perf_counter() - started)
        return answer

    async def stream(
        self, request: Request, sender: Credentials, kinds: Collection[OperationType] = EVERY_KIND
    ) -> AsyncGenerator[Answer, None]:
        """The answers to any operation: one for a query or mutation, one an event for a subscription."""
        started = time.perf_counter()
        try:
            viewer = await self._viewer(sender.token)
            request = self._named(request)
            document = self._schema.documents.read(request.query, signed_in=viewer is not None)
            kind = document.kind_of(request.operation_name, kinds)
        except Exception as error:
            answer = failed(error, sender.request_id, self._doors.explain)
            self._record("unknown", request, answer, sender, time.perf_counter() - started)
            yield answer
            return
        if kind in AT_ONCE:
            yield await self.run(request, sender)
            return
        last = Answer({"data": None})
        try:
            async with aclosing(self._events(request, sender, viewer)) as answers:
                async for last in answers:
                    yield last
        finally:
            self._record(kind.value, request, last, sender, time.perf_counter() - started)

    async def _events(
        self, request: Request, sender: Credentials, viewer: Viewer | None
    ) -> AsyncGenerator[Answer, None]:
        try:
            results: Any = await self._schema.stream(
                request.query,
                variable_values=request.variables,
                context_value=self._context(viewer, sender),
                operation_name=request.operation_name,
                operation_extensions=request.extensions,
            )
            async with aclosing(results):
                async for result in results:
                    yield answered(result, sender.request_id, self._doors.explain)
        except Exception as error:
            yield failed(error, sender.request_id, self._doors.explain)

    async def welcome(self, sender: Credentials) -> Viewer:
        """Who opens a socket or stream. Raises Unauthenticated for a stranger; whatever `authenticate` raises too."""
        viewer = await self._viewer(sender.token)
        if viewer is None:
            raise Unauthenticated
        return viewer

    async def still_welcome(self, sender: Credentials) -> bool:
        """False once the token was revoked. A database that does not answer is no reason to close a socket."""
        try:
            return await self._viewer(sender.token) is not None
        except Exception:
            return True

    @contextmanager
    def counted(self, viewer: Viewer) -> Iterator[None]:
        """Around an open socket or stream. Raises a refusal where this caller has as many as are allowed."""
        caller = viewer.caller
        if self._streams[caller] >= self.limits.sockets:
            message = f"A caller has at most {self.limits.sockets} sockets and event streams open."
            raise limit_passed(RateLimited, message, name="sockets", limit=self.limits.sockets)
        self._streams[caller] += 1
        try:
            yield
        finally:
            self._streams[caller] -= 1
            if not self._streams[caller]:
                del self._streams[caller]

    def refused(self, error: Exception, sender: Credentials) -> Answer:
        return failed(error, sender.request_id, self._doors.explain)

    async def _viewer(self, token: str | None) -> Viewer | None:
        return await self._doors.authenticate(token) if token else None

    def _context(self, viewer: Viewer | None, sender: Credentials) -> Any:
        return self._doors.context(Caller(viewer, sender.request_id, sender.address, sender.token))

    def _out_of_time(self) -> TimedOut:
        seconds = self.limits.operation_seconds
        message = f"The operation ran longer than {seconds:g} seconds and was stopped."
        return TimedOut(message, limit=seconds, limit_name="operationSeconds")

    def _named(self, request: Request) -> Request:
        """The request with the text of its document."""
        if self._trusted:
            return self._trusted.named(request)
        if not request.query:
            raise BadUserInput("This server keeps no documents by id: send `query`.", reason="DOCUMENT_UNKNOWN")
        return request

    def _record(self, kind: str, request: Request, answer: Answer, sender: Credentials, seconds: float) -> None:
        self._metrics.operation(kind, answer.outcome, seconds)
        # Only a name that the document has is fit for a log line.
        name = request.operation_name if request.operation_name and kind != "unknown" else "-"
        operation_log.write(
            request_id=sender.request_id, kind=kind, operation=name, outcome=answer.outcome, seconds=seconds
        )
