"""uvicorn's protocols with what they lack: a limit on the time and size of headers, quiet refusal of bad frames."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class HttpProtocol(HttpToolsProtocol):
    """Named in uvicorn's configuration as `http="graph.transport.http.uvicorn_protocols:HttpProtocol"`."""

    header_bytes: ClassVar[int] = 32_768
    header_seconds: ClassVar[float] = 5.0

    _deadline: asyncio.TimerHandle | None = None
    _received = 0
    """Bytes since the first of the packet in which the present request began, so never less than its headers have."""
    _packet = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # As uvicorn's own.
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_headers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._packet = len(data)
        self._received += self._packet
        super().data_received(data)
        if self._deadline is not None and self._received > self.header_bytes:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._received = self._packet
        self._await_headers()

    def on_headers_complete(self) -> None:
        if self._received > self.header_bytes and self._header_size() > self.header_bytes:
            # Without a cycle, what uvicorn does with a body does not apply, so nothing more is parsed.
            self._refuse(b"431 Request Header Fields Too Large")
            raise ValueError("headers too large")
        self._have_headers()
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

    def _await_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._refuse, b"408 Request Timeout")

    def _have_headers(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes) -> None:
        self._have_headers()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Named in uvicorn's configuration as `ws="graph.transport.http.uvicorn_protocols:WebSocketProtocol"`."""

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            # uvicorn would log this mistake of the client with a traceback.
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
