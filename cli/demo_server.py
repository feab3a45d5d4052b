"""The demo: a workspace of made-up customers in a SQLite file, served at once, and kept for the next start."""

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
from cli.errors import Refused
from crm.settings import DEFAULT_DATABASE_URL, Settings

EMAIL: Final = "demo@clientela.example"

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SIGN_IN: Final = """
    mutation ($email: String!, $password: String!) { signIn(email: $email, password: $password) { token } }
"""


def run(settings: Settings, *, customers: int) -> None:
    """Raises Refused where the settings name another database than SQLite, or the port is taken."""
    file = settings.database_file
    if file is None:
        raise Refused(f"The demo is for SQLite; unset CLIENTELA_DATABASE_URL, or set it to {DEFAULT_DATABASE_URL}.")
    with server.listening(settings.host, settings.port) as door:
        settings = replace(settings, port=door.getsockname()[1])
        password = _prepared(settings, file, customers)
        databases.require_current(settings)
        settings.require_secret()
        # Signed in for whoever opens GraphiQL on this machine, never for other machines.
        guest = EMAIL if settings.host in _THIS_MACHINE else None
        server.in_this_process(settings, door, guest=guest, announce=lambda: _announce(settings, password))


def _prepared(settings: Settings, file: Path, customers: int) -> str:
    """The password of the demo's agent, in a database that is there, at the newest version, and has that agent."""
    notes = file.with_name(file.name + ".demo.json")
    if file.exists() and notes.exists():
        databases.upgrade(settings)
    elif file.exists():
        databases.upgrade(settings)
        _fill(settings, notes, customers)
    else:
        _make(settings, file, notes, customers)
    return str(json.loads(notes.read_text())["password"])


def _make(settings: Settings, file: Path, notes: Path, customers: int) -> None:
    """Made under another name and renamed when whole, so that a start cut short is started afresh by the next."""
    making = file.with_name(file.name + ".making")
    for left in file.parent.glob(making.name + "*"):
        left.unlink()
    aside = replace(settings, database_url=f"sqlite:///{making}")
    databases.upgrade(aside)
    _fill(aside, notes, customers)
    _close(making)
    making.replace(file)


def _fill(settings: Settings, notes: Path, customers: int) -> None:
    password = secrets.token_urlsafe(12)
    made = asyncio.run(workspaces.created(settings, name="Demo", email=EMAIL, password=password))
    _write_privately(notes, json.dumps({"workspace": made.workspace, "email": EMAIL, "password": password}))
    if customers:
        workspaces.fill(settings, workspace=made.workspace, customers=customers, seed=1)


def _close(file: Path) -> None:
    """Brings what is still in the write-ahead log into the file itself, which is about to change its name."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _write_privately(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _announce(settings: Settings, password: str) -> None:
    address = server.address(settings)
    token = _token(address, password)
    query = '{"query": "{ customers(first: 3) { totalCount nodes { name owner { name } tags { name } } } }"}'
    lines = [
        "",
        f"  GraphiQL  {address}",
        f"  Sign in   {EMAIL}  {password}",
        f"  Token     {token or 'none: the password above was changed since'}",
    ]
    if token:
        lines += [
            "",
            f"  curl {address} -H 'Authorization: Bearer {token}' \\",
            f"    -H 'Content-Type: application/json' -d '{query}'",
        ]
    click.echo("\n".join([*lines, "", "  Ctrl-C stops it; the next start keeps the data."]))


def _token(address: str, password: str) -> str | None:
    """A fresh one, by signing in as any client would; None where the password is not right any more."""
    body = json.dumps({"query": _SIGN_IN, "variables": {"email": EMAIL, "password": password}}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json", "Accept": "application/json"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)
    token = ((said.get("data") or {}).get("signIn") or {}).get("token")
    return str(token) if token else None
