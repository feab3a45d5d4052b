"""The product behind the doors: opens the database, lets callers in, and says what its failures mean."""

import asyncio
import logging
import re
from typing import Final

from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import Response

from crm import settings
from crm.access import accounts
from crm.access.permissions import Viewer
from crm.files import storage
from crm.jobs import worker
from crm.settings import SettingError, Settings
from db import engine
from db.engine import Database
from db.errors import StatementTimedOut, StorageError, TransactionConflict
from db.values import ids
from graph import graphiql, schema
from graph.context import Context
from graph.errors import top_level
from graph.errors.top_level import TopLevelError
from graph.files import downloads, uploads
from graph.server import create_app
from graph.transport import trusted_documents
from graph.transport.ports import OperationCaller
from graph.transport.trusted_documents import TrustedDocuments

_log = logging.getLogger("clientela.app")

_HERE: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.IGNORECASE)


def from_environment() -> Starlette:
    """The application as the environment sets it: what each process of `clientela serve --workers` runs."""
    return create_application(settings.read_settings())


def create_application(chosen: Settings, *, guest: str | None = None) -> Starlette:
    """The application. With a `guest`, the address of an agent, GraphiQL comes signed in as him: for the demo only."""
    if chosen.rate_limit is not None:
        _log.warning("CLIENTELA_RATE_LIMIT has no effect in this version")
    doors = CrmBackend(chosen, guest=guest)
    assets = [graphiql.static_files_route("/graphiql")] if chosen.graphiql else []
    return create_app(
        schema=schema.build(introspection=chosen.introspection != "off", engine=chosen.engine),
        backend=doors,
        allowed_origins=chosen.allowed_origins,
        graphiql=doors.graphiql_page if chosen.graphiql else None,
        routes=[*uploads.upload_routes(doors, max_bytes=chosen.max_upload), *downloads.download_routes(doors), *assets],
        trusted_documents=_manifest(chosen),
    )


def _manifest(chosen: Settings) -> TrustedDocuments | None:
    if chosen.trusted_documents is None:
        return None
    try:
        return trusted_documents.load_manifest(chosen.trusted_documents)
    except (OSError, ValueError) as error:
        raise SettingError(f"CLIENTELA_TRUSTED_DOCUMENTS: {error}.") from None


class CrmBackend:
    """What the doors ask of the product."""

    def __init__(self, chosen: Settings, *, guest: str | None) -> None:
        self._settings = chosen
        self._guest = guest
        self._token: str | None = None
        self._database: Database | None = None
        self._stop = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def database(self) -> Database:
        if self._database is None:
            raise top_level.Unavailable("The server is starting.", retry_after=1)
        return self._database

    async def startup(self) -> None:
        self._database = await engine.connect(self._settings.database_url)
        storage.attach_storage(self._database, storage.storage_from_settings(self._settings))
        if self._guest is not None:
            self._token = await accounts.issue_session_token(self._database, email=self._guest, now=ids.current_time())
        if self._settings.runs_jobs:
            transaction = worker.run_worker(self._database, settings=self._settings, stop=self._stop)
            self._worker = asyncio.create_task(transaction)

    async def shutdown(self) -> None:
        self._stop.set()
        if self._worker is not None:
            await self._worker
        await accounts.finish_background_writes()
        await self.database.close()

    async def authenticate(self, token: str) -> Viewer | None:
        return await accounts.viewer_of_token(self.database, token)

    def create_context(self, caller: OperationCaller) -> Context:
        return Context(
            self.database,
            caller.viewer,
            request_id=caller.request_id,
            address=caller.address,
            token=caller.token,
        )

    async def readiness_problem(self) -> str | None:
        try:
            await engine.ping(self.database)
        except (StorageError, TopLevelError) as error:
            return f"the database does not answer: {error}"
        return None

    def explain_error(self, error: Exception) -> TopLevelError | None:
        if isinstance(error, StatementTimedOut):
            return top_level.TimedOut("The database took too long over this; ask for less, or try again.")
        if isinstance(error, TransactionConflict):
            return top_level.Overloaded("Too many are writing at once; try again.", retry_after=1)
        if isinstance(error, StorageError):
            _log.error("the database failed: %s", error)
            return top_level.Unavailable("The database does not answer; try again in a moment.", retry_after=2)
        return None

    def graphiql_page(self, request: HTTPConnection) -> Response:
        """GraphiQL. Only who asks for this machine by its own name gets the guest's token: a foreign page that had
        its name point here would read it otherwise."""
        near = _HERE.fullmatch(request.headers.get("host", "")) is not None
        return graphiql.graphiql_response(endpoint="/graphql", token=self._token if near else None)
