"""The application: connects the transports with the database, the accounts and the background worker."""

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

_LOCAL_HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.IGNORECASE)


def from_environment() -> Starlette:
    """The application with the settings of the environment, as each process of `clientela serve --workers` runs it."""
    return create_application(settings.read_settings())


def create_application(configuration: Settings, *, guest_email: str | None = None) -> Starlette:
    """The application with these settings.

    For the demo only: with `guest_email`, GraphiQL opens signed in as the agent with that address. Raises SettingError
    if the manifest of trusted documents cannot be read.
    """
    if configuration.rate_limit is not None:
        _log.warning("CLIENTELA_RATE_LIMIT has no effect in this version")
    backend = CrmBackend(configuration, guest_email=guest_email)
    assets = [graphiql.static_files_route("/graphiql")] if configuration.graphiql else []
    return create_app(
        schema=schema.build_schema(introspection=configuration.introspection != "off", engine=configuration.engine),
        backend=backend,
        allowed_origins=configuration.allowed_origins,
        graphiql_page=backend.graphiql_page if configuration.graphiql else None,
        routes=[
            *uploads.upload_routes(backend, max_bytes=configuration.max_upload),
            *downloads.download_routes(backend),
            *assets,
        ],
        trusted_documents=_load_trusted_documents(configuration),
    )


def _load_trusted_documents(configuration: Settings) -> TrustedDocuments | None:
    if configuration.trusted_documents is None:
        return None
    try:
        return trusted_documents.load_manifest(configuration.trusted_documents)
    except (OSError, ValueError) as error:
        raise SettingError(f"CLIENTELA_TRUSTED_DOCUMENTS: {error}.") from None


class CrmBackend:
    """What the transports need of the application."""

    def __init__(self, configuration: Settings, *, guest_email: str | None) -> None:
        self._settings = configuration
        self._guest_email = guest_email
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
        if self._guest_email is not None:
            now = ids.current_time()
            self._token = await accounts.issue_session_token(self._database, email=self._guest_email, now=now)
        if self._settings.runs_jobs:
            running = worker.run_worker(self._database, stop=self._stop)
            self._worker = asyncio.create_task(running)

    async def shutdown(self) -> None:
        self._stop.set()
        if self._worker is not None:
            await self._worker
        await accounts.finish_background_writes(self.database)
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
            return top_level.TimedOut("The database took too long. Request less data, or try again.")
        if isinstance(error, TransactionConflict):
            return top_level.Overloaded("Too many changes are being saved at once. Try again.", retry_after=1)
        if isinstance(error, StorageError):
            _log.error("the database failed: %s", error)
            return top_level.Unavailable("The database does not answer. Try again in a moment.", retry_after=2)
        return None

    def graphiql_page(self, request: HTTPConnection) -> Response:
        """GraphiQL, with the guest's token if the request names this machine as its host.

        Otherwise a page of another site could read the token after pointing its host name to this machine.
        """
        is_local = _LOCAL_HOST.fullmatch(request.headers.get("host", "")) is not None
        return graphiql.graphiql_response(endpoint="/graphql", token=self._token if is_local else None)
