"""POST /uploads: streams a file to disk, sent as the raw body or as the only file of a form."""

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
"""The longest pause between two parts of a body."""

_WRITE_BUFFER_BYTES: Final = 1 << 20
# What a form adds around its file.
_MAX_FORM_OVERHEAD_BYTES: Final = 10_000


def upload_routes(backend: FileRoutesBackend, *, max_bytes: int) -> list[BaseRoute]:
    """The upload route, for files of up to `max_bytes`."""

    async def upload(request: Request) -> Response:
        viewer = await require_viewer(backend, request)
        uploads.check_may_upload(viewer)
        declared = request.headers.get("content-length", "")
        max_body_bytes = max_bytes + _MAX_FORM_OVERHEAD_BYTES
        if declared.isdecimal() and (len(declared) > 15 or int(declared) > max_body_bytes):
            raise _too_large(max_bytes)
        return JSONResponse({"upload": await _store(backend, viewer, request, max_bytes)}, status_code=201)

    return [Route("/uploads", with_error_responses(backend, upload), methods=["POST"])]


async def _store(backend: FileRoutesBackend, viewer: Viewer, request: Request, max_bytes: int) -> str:
    """Stores the file and returns the upload's public id. After an error no file remains."""
    identifier = ids.new_id()
    relative, path = storage.storage_of(backend.database).new_path(uploads.UPLOAD_ID_KIND, identifier)
    with storage.delete_on_error(path):
        extractor = _FileExtractor(request.headers)
        size = await _write_file(path, extractor, request, max_bytes)
        return await uploads.store_upload(
            backend.database, viewer, identifier, name=extractor.name, size=size, path=relative
        )


async def _write_file(path: Path, extractor: "_FileExtractor", request: Request, max_bytes: int) -> int:
    """Returns the file's length in bytes."""
    size = 0
    with path.open("xb") as file:
        buffer = bytearray()
        async for body_part in _read_body(request):
            for data in extractor.extract(body_part):
                size += len(data)
                buffer += data
            if size > max_bytes:
                raise _too_large(max_bytes)
            if len(buffer) >= _WRITE_BUFFER_BYTES:
                await _flush(file, buffer)
        await _flush(file, buffer)
    extractor.check_complete()
    if not size:
        raise RequestRefused("The file is empty.")
    return size


async def _flush(file: IO[bytes], buffer: bytearray) -> None:
    await asyncio.to_thread(file.write, bytes(buffer))
    buffer.clear()


async def _read_body(request: Request) -> AsyncIterator[bytes]:
    """The body in parts. Raises RequestRefused (408) after a pause that is too long."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(MAX_BODY_PAUSE_SECONDS):
                part = await anext(stream, None)
        except TimeoutError:
            raise RequestRefused("The file stopped arriving.", status=408) from None
        except ClientDisconnect:
            raise RequestRefused("The file did not arrive completely.") from None
        if part is None:
            return
        yield part


class _FileExtractor:
    """Extracts the bytes of the file from those of the body."""

    def __init__(self, headers: Any) -> None:
        media_type, options = parse_options_header(headers.get("content-type", ""))
        self.name = _file_name(headers.get("content-disposition", ""))
        self._extracted: list[bytes] = []
        self._file_count = 0
        self._is_in_file = False
        self._has_ended = False
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._disposition = b""
        self._parser: MultipartParser | None = None
        if media_type == b"multipart/form-data":
            self._parser = MultipartParser(options.get(b"boundary", b""), self._callbacks())  # type: ignore[arg-type] # it takes these

    def extract(self, body_part: bytes) -> list[bytes]:
        """The bytes of the file in the next part of the body. Raises RequestRefused for a malformed form."""
        if self._parser is None:
            return [body_part]
        self._extracted = []
        try:
            self._parser.write(body_part)
        except MultipartParseError:
            raise RequestRefused("The form is malformed.") from None
        return self._extracted

    def check_complete(self) -> None:
        """Raises RequestRefused for a form without a file, or one that is incomplete."""
        if self._parser is not None and (not self._has_ended or not self._file_count):
            raise RequestRefused("Send one file, as the body or as the only file of a form.")

    def _callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self._disposition, self._is_in_file = b"", False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _on_header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = (b"", b"")

    def _on_headers_finished(self) -> None:
        name = _file_name(self._disposition)
        if name is not None:
            self.name, self._is_in_file = name, True
            self._file_count += 1
            if self._file_count > 1:
                raise RequestRefused("Send one file at a time.")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_in_file:
            self._extracted.append(data[start:end])

    def _on_end(self) -> None:
        self._has_ended = True


def _file_name(disposition: str | bytes) -> str | None:
    _, options = parse_options_header(disposition)
    name = options.get(b"filename")
    # Any directories in the name belong to the sender's machine.
    return None if name is None else name.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]


def _too_large(max_bytes: int) -> RequestRefused:
    message = f"The file is larger than {max_bytes} bytes."
    return RequestRefused(message, status=413, reason="LIMIT_EXCEEDED", limit=max_bytes, limit_name="upload")
