"""GraphQL over HTTP: POST with a JSON body, GET for queries, GraphiQL for browsers, event streams on request."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Final

from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph.errors.top_level import RequestRefused
from graph.transport import request_parsing, sse
from graph.transport.deadlines import SharedTimeout
from graph.transport.documents import ALL_OPERATION_TYPES
from graph.transport.http import media_types
from graph.transport.http.request_reading import (
    ClientDisconnected,
    Headers,
    bearer_token,
    client_address,
    current_request_id,
    read_body,
)
from graph.transport.operations import READ_ONLY_TYPES, SINGLE_RESULT_TYPES, OperationRunner, RequestSender
from graph.transport.request_parsing import GraphQLRequest
from graph.transport.responses import GraphQLResponse, serialize_response

_AUTHENTICATE_HEADER: Final = (b"www-authenticate", b"Bearer")


class GraphQLOverHTTP:
    """The ASGI application at /graphql for HTTP. `graphiql_page` creates the page for browsers; None disables it."""

    def __init__(self, runner: OperationRunner, graphiql_page: Callable[[HTTPConnection], Response] | None) -> None:
        self._runner = runner
        self._graphiql_page = graphiql_page
        self._body_timeout = SharedTimeout(runner.limits.body_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # If a header occurs twice, the last one counts.
        headers = dict(scope["headers"])
        accept = headers.get(b"accept", b"").decode("latin-1")
        if self._graphiql_page and scope["method"] == "GET" and media_types.accepts_html(accept):
            await self._graphiql_page(HTTPConnection(scope))(scope, receive, send)
            return
        sender = RequestSender(
            bearer_token(headers.get(b"authorization", b"").decode("latin-1")),
            current_request_id.get(),
            client_address(scope),
        )
        media_type = media_types.JSON
        try:
            media_type = media_types.negotiate_media_type(accept)
            request = await self._parse_request(scope, receive, headers)
        except ClientDisconnected:
            return
        except Exception as error:
            response = self._runner.error_response(error, sender)
            # The rest of a rejected body is not read, so the connection cannot be reused.
            close = response.status in (408, 413)
            await _send_response(send, response, _document_type(media_type), sender, close=close)
            return
        is_get = scope["method"] == "GET"
        if media_type == media_types.EVENT_STREAM:
            allowed_types = ALL_OPERATION_TYPES - {OperationType.MUTATION} if is_get else ALL_OPERATION_TYPES
            await self._stream_events(request, sender, allowed_types, scope, receive, send)
        else:
            response = await self._runner.run(request, sender, READ_ONLY_TYPES if is_get else SINGLE_RESULT_TYPES)
            await _send_response(send, response, media_type, sender)

    async def _parse_request(self, scope: Scope, receive: Receive, headers: Headers) -> GraphQLRequest:
        limits = self._runner.limits
        if scope["method"] == "POST":
            media_types.require_json(
                headers.get(b"content-type", b"").decode("latin-1"),
                headers.get(b"content-encoding", b"").decode("latin-1"),
            )
            return request_parsing.parse_body(await read_body(receive, headers, limits, self._body_timeout), limits)
        if scope["method"] == "GET":
            return request_parsing.parse_query_string(scope["query_string"], limits)
        raise RequestRefused("Send GraphQL by POST or GET.", status=405, allow="GET, POST")

    async def _stream_events(
        self,
        request: GraphQLRequest,
        sender: RequestSender,
        allowed_types: Collection[OperationType],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        # For uvicorn_protocols.py, which closes open streams when the server stops.
        scope["clientela.stream"] = True
        with ExitStack() as reservation:
            try:
                viewer = await self._runner.require_viewer(sender)
                reservation.enter_context(self._runner.reserve_stream(viewer))
            except Exception as error:
                response = self._runner.error_response(error, sender)
                await _send_response(send, response, media_types.GRAPHQL_RESPONSE, sender)
                return
            responses = self._runner.stream(request, sender, allowed_types)
            await sse.serve_events(self._runner, responses, sender, receive, send)


def _document_type(media_type: str) -> str:
    """The media type of an error response to a request with this negotiated type."""
    return media_types.GRAPHQL_RESPONSE if media_type == media_types.EVENT_STREAM else media_type


async def _send_response(
    send: Send, response: GraphQLResponse, media_type: str, sender: RequestSender, *, close: bool = False
) -> None:
    response, body = serialize_response(response, sender.request_id)
    status = response.json_status if media_type == media_types.JSON else response.status
    headers = [
        (b"content-type", media_type.encode() + b"; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, authorization"),
    ]
    if status == 401:
        headers.append(_AUTHENTICATE_HEADER)
    if response.allowed_methods and status == 405:
        headers.append((b"allow", response.allowed_methods.encode()))
    if response.retry_after is not None:
        headers.append((b"retry-after", str(response.retry_after).encode()))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
