"""GraphQL over WebSocket (graphql-transport-ws). The token is checked at connection_init and at every operation."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import ExitStack, aclosing, suppress
from enum import Enum, auto
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope, Send

from graph.errors.top_level import (
    RateLimited,
    RequestRefused,
    TopLevelError,
    Unauthenticated,
    limit_error,
)
from graph.transport import request_parsing
from graph.transport.http import origins
from graph.transport.http.request_reading import (
    bearer_token,
    choose_request_id,
    client_address,
    current_request_id,
    read_headers,
)
from graph.transport.operations import OperationRunner, RequestSender
from graph.transport.responses import GraphQLResponse, serialize_response

WEBSOCKET_PROTOCOL: Final = "graphql-transport-ws"
_MAX_ID_CHARACTERS: Final = 200


class _State(Enum):
    """The state of a connection. It changes in this order only, and may skip states on its way to CLOSED."""

    OPEN = auto()
    """Waiting for connection_init."""
    INITIALISING = auto()
    """connection_init has arrived and the token is being checked."""
    ACKNOWLEDGED = auto()
    """connection_ack is sent and operations may run."""
    CLOSED = auto()


class _ProtocolError(Exception):
    """Closes the connection with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GraphQLOverWebsocket:
    """The ASGI application at /graphql for WebSockets."""

    def __init__(self, runner: OperationRunner, allowed_origins: Collection[str]) -> None:
        self._runner = runner
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope)
        await receive()
        if not origins.is_origin_allowed(headers, self._allowed_origins):
            # Closing before accepting answers the handshake with status 403.
            await send({"type": "websocket.close", "code": 1008})
        elif WEBSOCKET_PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
        else:
            await send({"type": "websocket.accept", "subprotocol": WEBSOCKET_PROTOCOL})
            await _Connection(self._runner, headers, client_address(scope), receive, send).serve()


class _Connection:
    """One WebSocket. Its tasks are the operations, the timeout of connection_init and the check for revocation."""

    def __init__(
        self, runner: OperationRunner, headers: dict[str, str], address: str | None, receive: Receive, send: Send
    ) -> None:
        self._runner = runner
        self._headers = headers
        self._address = address
        self._receive = receive
        self._send = send
        self._state = _State.OPEN
        self._token: str | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream_reservation = ExitStack()
        self._handlers: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "connection_init": self._on_connection_init,
            "ping": self._on_ping,
            "pong": self._on_pong,
            "subscribe": self._on_subscribe,
            "complete": self._on_complete,
        }

    async def serve(self) -> None:
        """Handles messages until either side closes the connection."""
        self._start_task(self._wait_for_init())
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                await self._handle_message(message.get("text"))
        except _ProtocolError as error:
            await self._close(error.code, error.reason)
        finally:
            self._state = _State.CLOSED
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._stream_reservation.close()

    async def _handle_message(self, text: str | None) -> None:
        if text is None:
            raise _ProtocolError(4400, "Messages must be text")
        try:
            message = request_parsing.decode_json(text)
        except RequestRefused:
            raise _ProtocolError(4400, "Messages must be valid JSON") from None
        handler = self._handlers.get(message.get("type")) if _is_message(message) else None
        if handler is None:
            raise _ProtocolError(4400, "Messages must be objects with a known type")
        await handler(message)

    async def _on_connection_init(self, message: dict[str, Any]) -> None:
        if self._state is not _State.OPEN:
            raise _ProtocolError(4429, "Too many initialisation requests")
        self._state = _State.INITIALISING
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise _ProtocolError(4400, "The payload must be an object")
        authorization = (
            payload.get("authorization") or payload.get("Authorization") or self._headers.get("authorization")
        )
        self._token = bearer_token(authorization)
        sender = self._sender()
        try:
            viewer = await self._runner.require_viewer(sender)
            self._stream_reservation.enter_context(self._runner.reserve_stream(viewer))
        except Exception as error:
            raise _initialisation_error(self._runner.error_response(error, sender)) from None
        self._state = _State.ACKNOWLEDGED
        self._start_task(self._wait_for_revocation())
        await self._send_message({"type": "connection_ack"})

    async def _on_ping(self, message: dict[str, Any]) -> None:
        await self._send_message({"type": "pong"})

    async def _on_pong(self, message: dict[str, Any]) -> None:
        pass

    async def _on_subscribe(self, message: dict[str, Any]) -> None:
        if self._state is not _State.ACKNOWLEDGED:
            raise _ProtocolError(4401, "Unauthorized")
        id, limits = _operation_id(message), self._runner.limits
        if id in self._operations:
            raise _ProtocolError(4409, f"Subscriber for {id} already exists"[:100])
        sender = self._sender()
        try:
            self._check_operation_count()
            request = request_parsing.parse_parameters(message.get("payload"), limits)
        except RequestRefused as error:
            raise _ProtocolError(4400, error.message[:100]) from None
        except TopLevelError as error:
            await self._send_errors(id, self._runner.error_response(error, sender))
            return
        self._operations[id] = self._start_task(self._run_operation(id, request, sender))

    def _check_operation_count(self) -> None:
        limit = self._runner.limits.operations_per_socket
        if len(self._operations) >= limit:
            message = f"A WebSocket runs at most {limit} operations at once."
            raise limit_error(RateLimited, message, name="subscriptions", limit=limit)

    async def _on_complete(self, message: dict[str, Any]) -> None:
        if task := self._operations.pop(_operation_id(message), None):
            task.cancel()

    async def _run_operation(self, id: str, request: request_parsing.GraphQLRequest, sender: RequestSender) -> None:
        current_request_id.set(sender.request_id)
        async with aclosing(self._runner.stream(request, sender)) as responses:
            async for response in responses:
                sent, payload = serialize_response(response, sender.request_id)
                if not sent.was_executed:
                    self._operations.pop(id, None)
                    await self._send_errors(id, sent)
                    if sent.outcome == Unauthenticated.code:
                        await self._close(4403, "Forbidden")
                    return
                await self._send_message({"id": id, "type": "next", "payload": orjson.Fragment(payload)})
        # The id is freed before the client learns of it, because the client may reuse it at once.
        self._operations.pop(id, None)
        await self._send_message({"id": id, "type": "complete"})

    async def _wait_for_init(self) -> None:
        await asyncio.sleep(self._runner.limits.init_seconds)
        if self._state is _State.OPEN:
            await self._close(4408, "Connection initialisation timeout")

    async def _wait_for_revocation(self) -> None:
        sender = self._sender()
        while await self._runner.is_token_valid(sender):
            await asyncio.sleep(self._runner.limits.recheck_seconds)
        await self._close(4403, "Forbidden")

    def _start_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _sender(self) -> RequestSender:
        return RequestSender(self._token, choose_request_id(""), self._address)

    async def _send_errors(self, id: str, response: GraphQLResponse) -> None:
        await self._send_message({"id": id, "type": "error", "payload": response.payload["errors"]})

    async def _send_message(self, message: dict[str, Any]) -> None:
        if self._state is not _State.CLOSED:
            # If the client has disconnected, the next receive() reports it.
            with suppress(OSError):
                await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})

    async def _close(self, code: int, reason: str) -> None:
        if self._state is not _State.CLOSED:
            self._state = _State.CLOSED
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("type"), str)


def _operation_id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= _MAX_ID_CHARACTERS:
        raise _ProtocolError(4400, "The id must be a string of 1 to 200 characters")
    return id


def _initialisation_error(response: GraphQLResponse) -> _ProtocolError:
    if response.outcome == Unauthenticated.code:
        return _ProtocolError(4403, "Forbidden")
    if response.outcome == RateLimited.code:
        return _ProtocolError(4429, "Too many sockets")
    if response.status == 503:
        return _ProtocolError(1013, "Try again later")
    return _ProtocolError(4500, "Internal server error")
