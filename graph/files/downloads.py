"""GET /files/…: what jobs made, for whoever has a link that is good."""

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

_TYPES: Final = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.JSONL: "application/jsonl",
}


def download_routes(backend: FileRoutesBackend) -> list[BaseRoute]:
    """The address; the name at its end is for people."""

    async def file(request: Request) -> Response:
        kept = storage.storage_of(backend.database)
        said = kept.read(request.path_params["token"])
        if said is None:
            raise RequestRefused("There is no such file.", status=404)
        workspace_id, identifier, expires_at = said
        if expires_at <= ids.current_time():
            raise RequestRefused("The link has ended; ask for a new one.", status=410)
        row = await files.job_file_by_id(backend.database.session(workspace_id), identifier)
        path = kept.path(row.path) if row else None
        if row is None or path is None or not path.is_file():
            raise RequestRefused("The file is not there any more.", status=410)
        return FileResponse(
            path,
            filename=row.name,
            media_type=_TYPES[FileFormat(row.format)],
            headers={"cache-control": "private, no-store"},
        )

    return [Route("/files/{token}/{name}", with_error_responses(backend, file), methods=["GET"])]
