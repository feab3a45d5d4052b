"""uvicorn's protocols with limits on the time and size of headers, and without tracebacks for malformed frames."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class HttpProtocol(HttpToolsProtocol):
    """HTTP with limits on headers.

    uvicorn's configuration names it as `http="graph.transport.http.uvicorn_protocols:HttpProtocol"`.
    """

    max_header_bytes: ClassVar[int] = 32_768
    max_header_seconds: ClassVar[float] = 5.0

    _deadline: asyncio.TimerHandle | None = None
    _received_bytes = 0
    """Bytes since the start of the packet in which the current request began: at least the size of its headers."""
    _packet_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # As uvicorn's own.
        super().connection_made(transport)
        self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_header_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._packet_bytes = len(data)
        self._received_bytes += self._packet_bytes
        super().data_received(data)
        if self._deadline is not None and self._received_bytes > self.max_header_bytes:
            self._reject(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._received_bytes = self._packet_bytes
        self._start_header_timer()

    def on_headers_complete(self) -> None:
        if self._received_bytes > self.max_header_bytes and self._header_size() > self.max_header_bytes:
            # uvicorn has no request cycle yet and would fail on the body, so the exception ends the parsing.
            self._reject(b"431 Request Header Fields Too Large")
            raise ValueError("headers too large")
        self._stop_header_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def shutdown(self) -> None:
        super().shutdown()
        if self.cycle is not None and "clientela.stream" in self.cycle.scope:
            self.transport.close()

    def _header_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _start_header_timer(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.max_header_seconds, self._reject, b"408 Request Timeout")

    def _stop_header_timer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _reject(self, status: bytes) -> None:
        self._stop_header_timer()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets that close on text that is not UTF-8.

    uvicorn's configuration names it as `ws="graph.transport.http.uvicorn_protocols:WebSocketProtocol"`.
    """

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            # uvicorn would log this error of the client with a traceback.
            self.frames = []
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()


def _is_utf8(frames: list[Any]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True
