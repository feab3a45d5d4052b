"""The `demo` command: serves a SQLite file with sample customers and keeps it for the next start."""

import asyncio
import json
import os
import secrets
import sqlite3
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from cli import databases, server, workspaces
from cli.errors import CommandError
from crm.settings import DEFAULT_DATABASE_URL, Settings

DEMO_EMAIL: Final = "demo@clientela.example"

_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SIGN_IN: Final = """
    mutation ($email: String!, $password: String!) { signIn(email: $email, password: $password) { token } }
"""


def run_demo(settings: Settings, *, customers: int) -> None:
    """Prepares the demo database and serves it.

    Raises CommandError if the settings name PostgreSQL or the port is in use.
    """
    file = settings.database_file
    if file is None:
        raise CommandError(
            f"The demo runs on SQLite only; unset CLIENTELA_DATABASE_URL or set it to {DEFAULT_DATABASE_URL}."
        )
    with server.open_listener(settings.host, settings.port) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        password = _prepare(settings, file, customers)
        databases.require_current(settings)
        settings.require_secret()
        # GraphiQL opens signed in on this machine only, never for other machines.
        guest = DEMO_EMAIL if settings.host in _LOOPBACK_HOSTS else None
        server.serve_in_process(settings, listener, guest=guest, announce=lambda: _announce(settings, password))


def _prepare(settings: Settings, file: Path, customers: int) -> str:
    """Creates or upgrades the demo database and returns the password of its agent."""
    credentials = file.with_name(file.name + ".demo.json")
    if file.exists() and credentials.exists():
        databases.upgrade(settings)
    elif file.exists():
        databases.upgrade(settings)
        _fill(settings, credentials, customers)
    else:
        _create(settings, file, credentials, customers)
    return str(json.loads(credentials.read_text())["password"])


def _create(settings: Settings, file: Path, credentials: Path, customers: int) -> None:
    """Builds the file under a temporary name and renames it when complete.

    An interrupted start leaves no incomplete demo.
    """
    temporary = file.with_name(file.name + ".making")
    for leftover in file.parent.glob(temporary.name + "*"):
        leftover.unlink()
    building = replace(settings, database_url=f"sqlite:///{temporary}")
    databases.upgrade(building)
    _fill(building, credentials, customers)
    _checkpoint(temporary)
    temporary.replace(file)


def _fill(settings: Settings, credentials: Path, customers: int) -> None:
    password = secrets.token_urlsafe(12)
    workspace = asyncio.run(workspaces.insert_workspace(settings, name="Demo", email=DEMO_EMAIL, password=password))
    _write_privately(
        credentials, json.dumps({"workspace": workspace.workspace, "email": DEMO_EMAIL, "password": password})
    )
    if customers:
        workspaces.add_customers(settings, workspace=workspace.workspace, customers=customers, seed=1)


def _checkpoint(file: Path) -> None:
    """Moves the write-ahead log into the file, which is about to be renamed."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _write_privately(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _announce(settings: Settings, password: str) -> None:
    address = server.graphql_url(settings)
    token = _token(address, password)
    query = '{"query": "{ customers(first: 3) { totalCount nodes { name owner { name } tags { name } } } }"}'
    lines = [
        "",
        f"  GraphiQL  {address}",
        f"  Sign in   {DEMO_EMAIL}  {password}",
        f"  Token     {token or 'none: the password has been changed since'}",
    ]
    if token:
        lines += [
            "",
            f"  curl {address} -H 'Authorization: Bearer {token}' \\",
            f"    -H 'Content-Type: application/json' -d '{query}'",
        ]
    click.echo("\n".join([*lines, "", "  Press Ctrl-C to stop. The next start keeps the data."]))


def _token(address: str, password: str) -> str | None:
    """Signs in over HTTP like any client. Returns None if the password is no longer valid."""
    body = json.dumps({"query": _SIGN_IN, "variables": {"email": DEMO_EMAIL, "password": password}}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json", "Accept": "application/json"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=10) as answer:
        response: dict[str, Any] = json.load(answer)
    token = ((response.get("data") or {}).get("signIn") or {}).get("token")
    return str(token) if token else None
