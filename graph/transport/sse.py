"""Server-sent events: the responses of one operation (the graphql-sse protocol, distinct connections mode)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.types import Receive, Send

from graph.transport.operations import OperationRunner, RequestSender
from graph.transport.responses import GraphQLResponse, serialize_response

ResponseStream = AsyncGenerator[GraphQLResponse, None]

_HEARTBEAT_SECONDS: Final = 15.0
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Asks a proxy not to buffer events.
    (b"x-accel-buffering", b"no"),
)


async def serve_events(
    runner: OperationRunner, responses: ResponseStream, sender: RequestSender, receive: Receive, send: Send
) -> None:
    """Sends events until the operation completes, the client disconnects, or the token is revoked."""
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
    tasks = {
        asyncio.create_task(_send_responses(responses, sender, send)),
        asyncio.create_task(_wait_for_disconnect(receive)),
        asyncio.create_task(_wait_for_revocation(runner, sender)),
        asyncio.create_task(_send_heartbeats(send)),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_responses(responses: ResponseStream, sender: RequestSender, send: Send) -> None:
    async with aclosing(responses):
        async for response in responses:
            _, data = serialize_response(response, sender.request_id)
            await _send_event(send, b"next", data)
    await _send_event(send, b"complete", b"")


async def _send_event(send: Send, name: bytes, data: bytes) -> None:
    # orjson writes no line breaks, so the data is one line. Browsers drop events without a data line.
    body = b"event: " + name + b"\ndata: " + data + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait_for_revocation(runner: OperationRunner, sender: RequestSender) -> None:
    while True:
        await asyncio.sleep(runner.limits.recheck_seconds)
        if not await runner.is_token_valid(sender):
            return


async def _send_heartbeats(send: Send) -> None:
    while True:
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
