"""POST /uploads: a file comes in, raw or as one part of a form, streamed to disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm.access.permissions import Viewer
from crm.files import storage, uploads
from db.values import ids
from graph.errors.top_level import RequestRefused
from graph.files.http_routes import FileRoutesBackend, require_viewer, with_error_responses

MAX_BODY_PAUSE_SECONDS: Final = 30.0
"""That a body may pause."""

_BUFFER: Final = 1 << 20


def upload_routes(backend: FileRoutesBackend, *, max_bytes: int) -> list[BaseRoute]:
    """The address, where files of `most` bytes are taken."""

    async def upload(request: Request) -> Response:
        viewer = await require_viewer(backend, request)
        uploads.check_may_upload(viewer)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and (len(announced) > 15 or int(announced) > max_bytes + _FORM):
            raise _too_large(max_bytes)
        return JSONResponse({"upload": await _kept(backend, viewer, request, max_bytes)}, status_code=201)

    return [Route("/uploads", with_error_responses(backend, upload), methods=["POST"])]


# What a form adds around its file.
_FORM: Final = 10_000


async def _kept(doors: FileRoutesBackend, viewer: Viewer, request: Request, most: int) -> str:
    identifier = ids.new_id()
    relative, path = storage.storage_of(doors.database).new_path(uploads.UPLOAD_ID_KIND, identifier)
    with storage.delete_on_error(path):
        arriving = _Arriving(request.headers)
        size = await _written(path, arriving, request, most)
        return await uploads.store_upload(
            doors.database, viewer, identifier, name=arriving.name, size=size, path=relative
        )


async def _written(path: Path, arriving: "_Arriving", request: Request, most: int) -> int:
    """Returns the file's length in bytes."""
    size = 0
    with path.open("xb") as file:
        buffer = bytearray()
        async for piece in _pieces(request):
            for part in arriving.take(piece):
                size += len(part)
                buffer += part
            if size > most:
                raise _too_large(most)
            if len(buffer) >= _BUFFER:
                await _write(file, buffer)
        await _write(file, buffer)
    arriving.end()
    if not size:
        raise RequestRefused("The file is empty.")
    return size


async def _write(file: IO[bytes], buffer: bytearray) -> None:
    await asyncio.to_thread(file.write, bytes(buffer))
    buffer.clear()


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; a pause that is too long ends it."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(MAX_BODY_PAUSE_SECONDS):
                piece = await anext(stream, None)
        except TimeoutError:
            raise RequestRefused("The file stopped arriving.", status=408) from None
        except ClientDisconnect:
            raise RequestRefused("The file did not arrive whole.") from None
        if piece is None:
            return
        yield piece


class _Arriving:
    """The bytes of the file among those of the body."""

    def __init__(self, headers: Any) -> None:
        kind, options = parse_options_header(headers.get("content-type", ""))
        self.name = _file_name(headers.get("content-disposition", ""))
        self._found: list[bytes] = []
        self._files = 0
        self._inside = False
        self._ended = False
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._disposition = b""
        self._parser: MultipartParser | None = None
        if kind == b"multipart/form-data":
            self._parser = MultipartParser(options.get(b"boundary", b""), self._callbacks())  # type: ignore[arg-type] # it takes these

    def take(self, piece: bytes) -> list[bytes]:
        """What of the next piece of the body belongs to the file. Raises RequestRefused."""
        if self._parser is None:
            return [piece]
        self._found = []
        try:
            self._parser.write(piece)
        except MultipartParseError:
            raise RequestRefused("The form is damaged.") from None
        return self._found

    def end(self) -> None:
        """Raises RequestRefused for a form without a file, or one that breaks off."""
        if self._parser is not None and (not self._ended or not self._files):
            raise RequestRefused("Send one file, as the body or as the only file of a form.")

    def _callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_end": self._form_end,
        }

    def _begin(self) -> None:
        self._disposition, self._inside = b"", False

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = (b"", b"")

    def _headers_end(self) -> None:
        name = _file_name(self._disposition)
        if name is not None:
            self.name, self._inside = name, True
            self._files += 1
            if self._files > 1:
                raise RequestRefused("Send one file at a time.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._found.append(data[start:end])

    def _form_end(self) -> None:
        self._ended = True


def _file_name(disposition: str | bytes) -> str | None:
    _, options = parse_options_header(disposition)
    name = options.get(b"filename")
    # Whatever directories it names are the sender's own.
    return None if name is None else name.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]


def _too_large(most: int) -> RequestRefused:
    message = f"The file is larger than {most} bytes."
    return RequestRefused(message, status=413, reason="LIMIT_EXCEEDED", limit=most, limit_name="upload")
