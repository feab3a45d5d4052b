"""GET /files/…: downloads of the files that jobs created, by signed links."""

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from crm.files import storage
from db.queries import files
from db.tables.enums import FileFormat
from db.values import ids
from graph.errors.top_level import RequestRefused
from graph.files.http_routes import FileRoutesBackend, with_error_responses

_MEDIA_TYPES: Final = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.JSONL: "application/jsonl",
}


def download_routes(backend: FileRoutesBackend) -> list[BaseRoute]:
    """The download route. The file name at the end of the path is not evaluated."""

    async def download(request: Request) -> Response:
        file_storage = storage.storage_of(backend.database)
        link = file_storage.parse_token(request.path_params["token"])
        if link is None:
            raise RequestRefused("There is no such file.", status=404)
        workspace_id, identifier, expires_at = link
        if expires_at <= ids.current_time():
            raise RequestRefused("The link has expired. Request a new one.", status=410)
        row = await files.job_file_by_id(backend.database.session(workspace_id), identifier)
        path = file_storage.path(row.path) if row else None
        if row is None or path is None or not path.is_file():
            raise RequestRefused("The file has been deleted.", status=410)
        return FileResponse(
            path,
            filename=row.name,
            media_type=_MEDIA_TYPES[FileFormat(row.format)],
            headers={"cache-control": "private, no-store"},
        )

    return [Route("/files/{token}/{name}", with_error_responses(backend, download), methods=["GET"])]
