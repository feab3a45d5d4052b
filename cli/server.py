"""The `serve` command: the listening socket, the serving processes and the shutdown."""

import asyncio
import logging.config
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import click
import uvicorn
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from cli import databases, gc_tuning, logs
from cli.errors import CommandError
from crm.settings import PREFIX, Settings

_BACKLOG: Final = 2048
_SHUTDOWN_SECONDS: Final = 10
"""Time that running requests have to finish after the server receives a stop signal."""


def serve(settings: Settings, *, workers: int) -> None:
    """Serves until a stop signal. Checks everything that would stop a process before the first process starts."""
    databases.require_current(settings)
    settings.require_secret()
    with open_listener(settings.host, settings.port) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        if workers == 1:
            serve_in_process(settings, listener, announce=lambda: _announce(settings))
        else:
            _in_processes(settings, listener, workers)


def open_listener(host: str, port: int) -> socket.socket:
    """Opens the listening socket. Raises CommandError if the port is in use or the address is not local."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CommandError(f"Cannot listen on {_address(host, port)} ({os.strerror(error.errno or 0)}).") from error


def serve_in_process(
    settings: Settings, listener: socket.socket, *, announce: Callable[[], None], guest: str | None = None
) -> None:
    """Serves in this process. Calls `announce` in a thread once the server answers requests.

    GraphiQL opens signed in as the agent with the e-mail address `guest`.
    """
    gc_tuning.pause_collector()
    from graph import app

    _exit_zero_on_signal()
    logging.config.dictConfig(logs.logging_configuration(settings.log_format))
    server = _Server(_configuration(settings, app=app.create_application(settings, guest_email=guest)), announce)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


def _in_processes(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Serves in several processes. Each reads the environment again, so command-line options are written there."""
    os.environ |= {
        f"{PREFIX}HOST": settings.host,
        f"{PREFIX}PORT": str(settings.port),
        f"{PREFIX}JOBS": "on" if settings.runs_jobs else "off",
    }
    configuration = _configuration(settings, app="cli.server:create_worker_application", factory=True, workers=workers)
    _announce(settings)
    gc_tuning.resume_collector()
    supervisor = Multiprocess(configuration, sockets=[listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(1)


def create_worker_application() -> Starlette:
    """Creates the application in one of several processes.

    A process that cannot start exits with STARTUP_FAILURE; otherwise the supervisor would restart it forever.
    """
    gc_tuning.pause_collector()
    from graph import app

    try:
        application = app.from_environment()
        gc_tuning.resume_collector()
        return application
    except Exception:
        logging.getLogger("clientela").exception("The server cannot start.")
        sys.exit(STARTUP_FAILURE)


def _configuration(settings: Settings, **changes: Any) -> uvicorn.Config:
    return uvicorn.Config(
        **changes,
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="graph.transport.http.uvicorn_protocols:HttpProtocol",
        ws="graph.transport.http.uvicorn_protocols:WebSocketProtocol",
        ws_max_size=1_000_000,
        ws_per_message_deflate=False,
        log_config=logs.logging_configuration(settings.log_format),
        access_log=False,  # Access lines would contain the signatures of file links. The server logs operations itself.
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


class _Server(uvicorn.Server):
    def __init__(self, configuration: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(configuration)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc_tuning.resume_collector()
        if self.started:
            await asyncio.to_thread(self._announce)


def _exit_zero_on_signal() -> None:
    """Makes the process exit with code 0: after its shutdown, uvicorn raises the stop signal again."""

    def leave(*_: Any) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _announce(settings: Settings) -> None:
    click.echo(f"Clientela answers at {graphql_url(settings)}")


def graphql_url(settings: Settings) -> str:
    """The URL of the GraphQL endpoint as a user of this machine would open it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{_address(host, settings.port)}/graphql"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
