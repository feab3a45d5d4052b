"""Serving: the port, the processes behind it, and an orderly end."""

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
from cli.errors import Refused
from crm.settings import PREFIX, Settings

_BACKLOG: Final = 2048
_GRACE: Final = 10
"""Seconds that requests have to finish once the server was told to stop."""


def serve(settings: Settings, *, workers: int) -> None:
    """Serve until told to stop. What would stop each process is found here, before the first one starts."""
    databases.require_current(settings)
    settings.require_secret()
    with listening(settings.host, settings.port) as door:
        settings = replace(settings, port=door.getsockname()[1])
        if workers == 1:
            in_this_process(settings, door, announce=lambda: _announce(settings))
        else:
            _in_processes(settings, door, workers)


def listening(host: str, port: int) -> socket.socket:
    """Raises Refused where the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Refused(f"{_address(host, port)} cannot be listened on ({os.strerror(error.errno or 0)}).") from error


def in_this_process(
    settings: Settings, door: socket.socket, *, announce: Callable[[], None], guest: str | None = None
) -> None:
    """`announce` is called in a thread once requests are answered. GraphiQL comes signed in as the `guest`."""
    gc_tuning.pause()
    from graph import app

    _end_in_peace()
    logging.config.dictConfig(logs.configuration(settings.log_format))
    server = _Server(_configuration(settings, app=app.create(settings, guest=guest)), announce)
    server.run(sockets=[door])
    if not server.started:
        sys.exit(1)


def _in_processes(settings: Settings, door: socket.socket, workers: int) -> None:
    """Each process reads the settings from the environment again, so what the command line changed goes there."""
    os.environ |= {
        f"{PREFIX}HOST": settings.host,
        f"{PREFIX}PORT": str(settings.port),
        f"{PREFIX}JOBS": "on" if settings.jobs else "off",
    }
    configuration = _configuration(settings, app="cli.server:application", factory=True, workers=workers)
    _announce(settings)
    gc_tuning.resume()
    supervisor = Multiprocess(configuration, sockets=[door])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(1)


def application() -> Starlette:
    """In each of several processes. One whose start fails says so by its exit code, or it would be started for ever."""
    gc_tuning.pause()
    from graph import app

    try:
        made = app.from_environment()
        gc_tuning.resume()
        return made
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
        log_config=logs.configuration(settings.log_format),
        access_log=False,  # Its lines would hold the signatures of file links; the server logs operations itself.
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )


class _Server(uvicorn.Server):
    def __init__(self, configuration: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(configuration)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc_tuning.resume()
        if self.started:
            await asyncio.to_thread(self._announce)


def _end_in_peace() -> None:
    """uvicorn raises the signal that stopped it again when all is closed; with this, the process then exits with 0."""

    def leave(*_: Any) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _announce(settings: Settings) -> None:
    click.echo(f"Clientela answers at {address(settings)}")


def address(settings: Settings) -> str:
    """Of the GraphQL endpoint, as a person on this machine would open it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{_address(host, settings.port)}/graphql"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
