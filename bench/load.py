"""A load generator: a number of connections, each of which sends its next request after each answer."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of a load. `failures` counts answers other than 200."""

    requests: int
    failures: int
    seconds: float
    times: list[float] = field(default_factory=list, repr=False)
    """Seconds from each request to the end of its answer, sorted."""

    def quantile(self, part: float) -> float:
        """Milliseconds within which that share of the requests was answered."""
        return 1000 * self.times[int(part * (len(self.times) - 1))]


class _Client(asyncio.Protocol):
    """One keep-alive connection. It reads only the length of an answer."""

    def __init__(self, request: bytes, until: float) -> None:
        self._request = request
        self._until = until
        self._buffer = b""
        self._missing = 0
        self.requests = self.failures = 0
        self.times: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport class is not a subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._buffer += data
            head, separator, body = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            self._buffer = b""
            self.failures += not head.startswith(b"HTTP/1.1 200 ")
            self._missing = _length(head) - len(body)
        if self._missing <= 0:
            self._answered()

    def _answered(self) -> None:
        self._missing = 0
        self.requests += 1
        now = time.perf_counter()
        self.times.append(now - self._sent)
        if now < self._until:
            self._send()
        else:
            self._transport.close()
            self._end()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])


def encode_request(path: str, body: bytes, token: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        "accept: */*",
        f"authorization: Bearer {token}",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run_load(port: int, sent: bytes, *, connections: int, seconds: float) -> LoadResult:
    return uvloop.run(_drive(port, sent, connections, seconds))


async def _drive(port: int, sent: bytes, connections: int, seconds: float) -> LoadResult:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    clients = [
        (await loop.create_connection(lambda: _Client(sent, began + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(client.done for client in clients))
    took = time.perf_counter() - began
    times = sorted(one for each in clients for one in each.times)
    return LoadResult(sum(each.requests for each in clients), sum(each.failures for each in clients), took, times)
