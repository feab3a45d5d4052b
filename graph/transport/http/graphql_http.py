"""GraphQL over HTTP: POST with a JSON body, GET for queries, a page for browsers, event streams on request."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Final

from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph.errors.top_level import RequestRefused
from graph.transport import request_parsing, sse
from graph.transport.deadlines import Deadlines
from graph.transport.documents import EVERY_KIND
from graph.transport.http import media_types
from graph.transport.http.request_reading import Gone, Headers, address_of, current_request_id, read_body, token_in
from graph.transport.operations import AT_ONCE, READING, Credentials, Operations
from graph.transport.request_parsing import Request
from graph.transport.responses import Answer, written

_REALM: Final = (b"www-authenticate", b"Bearer")


class GraphQLOverHTTP:
    """The ASGI application at /graphql for HTTP. `page` makes the page for a browser; without it there is none."""

    def __init__(self, operations: Operations, page: Callable[[HTTPConnection], Response] | None) -> None:
        self._operations = operations
        self._page = page
        self._bodies = Deadlines(operations.limits.body_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Of a name that comes twice, the last counts.
        headers = dict(scope["headers"])
        accept = headers.get(b"accept", b"").decode("latin-1")
        if self._page and scope["method"] == "GET" and media_types.wants_page(accept):
            await self._page(HTTPConnection(scope))(scope, receive, send)
            return
        sender = Credentials(
            token_in(headers.get(b"authorization", b"").decode("latin-1")), current_request_id.get(), address_of(scope)
        )
        media_type = media_types.JSON
        try:
            media_type = media_types.answered_in(accept)
            request = await self._request(scope, receive, headers)
        except Gone:
            return
        except Exception as error:
            answer = self._operations.refused(error, sender)
            # The rest of a body that was refused is not read, so the connection cannot be used again.
            await _send(send, answer, _document_type(media_type), sender, close=answer.status in (408, 413))
            return
        session = scope["method"] == "GET"
        if media_type == media_types.EVENT_STREAM:
            kinds = EVERY_KIND - {OperationType.MUTATION} if session else EVERY_KIND
            await self._stream(request, sender, kinds, scope, receive, send)
        else:
            answer = await self._operations.run(request, sender, READING if session else AT_ONCE)
            await _send(send, answer, media_type, sender)

    async def _request(self, scope: Scope, receive: Receive, headers: Headers) -> Request:
        limits = self._operations.limits
        if scope["method"] == "POST":
            media_types.require_json(
                headers.get(b"content-type", b"").decode("latin-1"),
                headers.get(b"content-encoding", b"").decode("latin-1"),
            )
            return request_parsing.from_body(await read_body(receive, headers, limits, self._bodies), limits)
        if scope["method"] == "GET":
            return request_parsing.from_query_string(scope["query_string"], limits)
        raise RequestRefused("Send GraphQL by POST or GET.", status=405, allow="GET, POST")

    async def _stream(
        self,
        request: Request,
        sender: Credentials,
        kinds: Collection[OperationType],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        # For connections.py, which ends what would not end by itself when the server stops.
        scope["clientela.stream"] = True
        with ExitStack() as open_streams:
            try:
                viewer = await self._operations.welcome(sender)
                open_streams.enter_context(self._operations.counted(viewer))
            except Exception as error:
                await _send(send, self._operations.refused(error, sender), media_types.GRAPHQL_RESPONSE, sender)
                return
            answers = self._operations.stream(request, sender, kinds)
            await sse.serve(self._operations, answers, sender, receive, send)


def _document_type(media_type: str) -> str:
    """What a refusal is written in where the answer would have been an event stream."""
    return media_types.GRAPHQL_RESPONSE if media_type == media_types.EVENT_STREAM else media_type


async def _send(send: Send, answer: Answer, media_type: str, sender: Credentials, *, close: bool = False) -> None:
    answer, body = written(answer, sender.request_id)
    status = answer.json_status if media_type == media_types.JSON else answer.status
    headers = [
        (b"content-type", media_type.encode() + b"; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, authorization"),
    ]
    if status == 401:
        headers.append(_REALM)
    if answer.allow and status == 405:
        headers.append((b"allow", answer.allow.encode()))
    if answer.retry_after is not None:
        headers.append((b"retry-after", str(answer.retry_after).encode()))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
