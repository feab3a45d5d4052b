"""GraphQL over websocket, protocol graphql-transport-ws: signed in at the start, and again at every operation."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import ExitStack, aclosing, suppress
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope, Send

from graph.errors.top_level import (
    BadUserInput,
    RateLimited,
    RequestRefused,
    TopLevelError,
    Unauthenticated,
    limit_passed,
)
from graph.transport import request_parsing
from graph.transport.http import origins
from graph.transport.http.request_reading import address_of, current_request_id, headers_of, request_id_for, token_in
from graph.transport.operations import Credentials, Operations
from graph.transport.responses import Answer, written

PROTOCOL: Final = "graphql-transport-ws"
_LONGEST_ID: Final = 200


class _Closing(Exception):
    """The protocol asks for the socket to be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GraphQLOverWebsocket:
    """The ASGI application at /graphql for websockets."""

    def __init__(self, operations: Operations, allowed_origins: Collection[str]) -> None:
        self._operations = operations
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        await receive()
        if not origins.may_open(headers, self._allowed_origins):
            # Closed before it was accepted, a handshake is answered 403.
            await send({"type": "websocket.close", "code": 1008})
        elif PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
        else:
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            await _Session(self._operations, headers, address_of(scope), receive, send).serve()


class _Session:
    """One open socket. Its tasks are the operations by id, the deadline of connection_init, the look at the token."""

    def __init__(
        self, operations: Operations, headers: dict[str, str], address: str | None, receive: Receive, send: Send
    ) -> None:
        self._operations = operations
        self._headers = headers
        self._address = address
        self._receive = receive
        self._send = send
        self._closed = False
        self._greeted = False
        self._acknowledged = False
        self._token: str | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._counted = ExitStack()
        self._heed: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "connection_init": self._connection_init,
            "ping": self._ping,
            "pong": self._pong,
            "subscribe": self._subscribe,
            "complete": self._complete,
        }

    async def serve(self) -> None:
        """Until either side closes."""
        self._start(self._wait_for_init())
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                await self._message(message.get("text"))
        except _Closing as closing:
            await self._close(closing.code, closing.reason)
        finally:
            self._closed = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._counted.close()

    async def _message(self, text: str | None) -> None:
        if text is None:
            raise _Closing(4400, "Messages must be text")
        try:
            message = request_parsing.decoded(text)
        except RequestRefused:
            raise _Closing(4400, "Messages must be valid JSON") from None
        heed = self._heed.get(message.get("type")) if _is_message(message) else None
        if heed is None:
            raise _Closing(4400, "Messages must be objects with a known type")
        await heed(message)

    async def _connection_init(self, message: dict[str, Any]) -> None:
        if self._greeted:
            raise _Closing(4429, "Too many initialisation requests")
        self._greeted = True
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise _Closing(4400, "The payload must be an object")
        given = payload.get("authorization") or payload.get("Authorization") or self._headers.get("authorization")
        self._token = token_in(given)
        sender = self._sender()
        try:
            viewer = await self._operations.welcome(sender)
            self._counted.enter_context(self._operations.counted(viewer))
        except Exception as error:
            raise _refusal(self._operations.refused(error, sender)) from None
        self._acknowledged = True
        self._start(self._wait_for_revocation())
        await self._say({"type": "connection_ack"})

    async def _ping(self, message: dict[str, Any]) -> None:
        await self._say({"type": "pong"})

    async def _pong(self, message: dict[str, Any]) -> None:
        pass

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise _Closing(4401, "Unauthorized")
        id, limits = _id_of(message), self._operations.limits
        if id in self._running:
            raise _Closing(4409, f"Subscriber for {id} already exists"[:100])
        sender = self._sender()
        if len(self._running) >= limits.subscriptions:
            text = f"A socket runs at most {limits.subscriptions} operations at once."
            error: TopLevelError = limit_passed(RateLimited, text, name="subscriptions", limit=limits.subscriptions)
            await self._say_errors(id, self._operations.refused(error, sender))
            return
        try:
            request = request_parsing.from_parameters(message.get("payload"), limits)
        except RequestRefused as error:
            raise _Closing(4400, error.message[:100]) from None
        except BadUserInput as error:
            await self._say_errors(id, self._operations.refused(error, sender))
            return
        self._running[id] = self._start(self._operate(id, request, sender))

    async def _complete(self, message: dict[str, Any]) -> None:
        if task := self._running.pop(_id_of(message), None):
            task.cancel()

    async def _operate(self, id: str, request: request_parsing.Request, sender: Credentials) -> None:
        current_request_id.set(sender.request_id)
        async with aclosing(self._operations.stream(request, sender)) as answers:
            async for answer in answers:
                sent, payload = written(answer, sender.request_id)
                if not sent.executed:
                    self._running.pop(id, None)
                    await self._say_errors(id, sent)
                    if sent.outcome == Unauthenticated.code:
                        await self._close(4403, "Forbidden")
                    return
                await self._say({"id": id, "type": "next", "payload": orjson.Fragment(payload)})
        # Free before the client hears of it, because it may use the id again at once.
        self._running.pop(id, None)
        await self._say({"id": id, "type": "complete"})

    async def _wait_for_init(self) -> None:
        await asyncio.sleep(self._operations.limits.init_seconds)
        if not self._greeted:
            await self._close(4408, "Connection initialisation timeout")

    async def _wait_for_revocation(self) -> None:
        sender = self._sender()
        while await self._operations.still_welcome(sender):
            await asyncio.sleep(self._operations.limits.recheck_seconds)
        await self._close(4403, "Forbidden")

    def _start(self, transaction: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(transaction)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _sender(self) -> Credentials:
        return Credentials(self._token, request_id_for(""), self._address)

    async def _say_errors(self, id: str, answer: Answer) -> None:
        await self._say({"id": id, "type": "error", "payload": answer.payload["errors"]})

    async def _say(self, message: dict[str, Any]) -> None:
        if not self._closed:
            # When the client is gone there is nobody to tell; the next receive() says so.
            with suppress(OSError):
                await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})

    async def _close(self, code: int, reason: str) -> None:
        if not self._closed:
            self._closed = True
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("type"), str)


def _id_of(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= _LONGEST_ID:
        raise _Closing(4400, "The id must be a text")
    return id


def _refusal(answer: Answer) -> _Closing:
    if answer.outcome == Unauthenticated.code:
        return _Closing(4403, "Forbidden")
    if answer.outcome == RateLimited.code:
        return _Closing(4429, "Too many sockets")
    return _Closing(1013, "Try again later") if answer.status == 503 else _Closing(4500, "Internal server error")
