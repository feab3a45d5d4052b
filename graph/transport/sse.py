"""Event streams: one operation's answers as server-sent events (graphql-sse, distinct connections)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.types import Receive, Send

from graph.transport.operations import Credentials, Operations
from graph.transport.responses import Answer, written

Answers = AsyncGenerator[Answer, None]

_HEARTBEAT_SECONDS: Final = 15.0
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Asks a proxy not to hold events back.
    (b"x-accel-buffering", b"no"),
]


async def serve(operations: Operations, answers: Answers, sender: Credentials, receive: Receive, send: Send) -> None:
    """Until the operation completes, the client leaves, or the token is revoked."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    tasks = {
        asyncio.create_task(_pump(answers, sender, send)),
        asyncio.create_task(_left(receive)),
        asyncio.create_task(_revoked(operations, sender)),
        asyncio.create_task(_beat(send)),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _pump(answers: Answers, sender: Credentials, send: Send) -> None:
    async with aclosing(answers):
        async for answer in answers:
            _, data = written(answer, sender.request_id)
            await _event(send, b"next", data)
    await _event(send, b"complete", b"")


async def _event(send: Send, name: bytes, data: bytes) -> None:
    # JSON as it is written here has no line breaks; browsers drop events without a data field.
    body = b"event: " + name + b"\ndata: " + data + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _revoked(operations: Operations, sender: Credentials) -> None:
    while True:
        await asyncio.sleep(operations.limits.recheck_seconds)
        if not await operations.still_welcome(sender):
            return


async def _beat(send: Send) -> None:
    while True:
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
