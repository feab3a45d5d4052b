"""The tests' own PostgreSQL server: one for a whole run, started when first asked for, gone when the run ends.

Run as a program it keeps that server: it starts it, waits until the run's lock is let go, which the system sees to
however the run ends, then stops the server and removes its directory.
"""

import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import asyncpg

LOCK: Final = "running"
"""A lock in the run's directory, held while the run lives."""

_STARTED: Final = "started"
_READY: Final = "address"
_FAILED: Final = "failed"
_PATIENCE: Final = 60.0
"""Seconds for the server to start."""

_INSTALL: Final = "install PostgreSQL's server (Debian: apt-get install postgresql) or set CLIENTELA_TEST_POSTGRES"

_OPTIONS: Final = {
    "listen_addresses": "",
    "max_connections": "400",
    "shared_buffers": "128MB",
    # The data is temporary, so durability is off.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}


class Unavailable(Exception):
    """No server is available; the message says why and what to install."""


def address(directory: Path) -> str:
    """An administrator's URL of the run's server, which the first caller starts. Raises Unavailable."""
    if given := os.environ.get("CLIENTELA_TEST_POSTGRES"):
        return given
    _programs()
    _start_once(directory)
    return _awaited(directory)


def is_kept(directory: Path) -> bool:
    """Whether a keeper process is still running."""
    return (directory / _STARTED).exists()


def _start_once(directory: Path) -> None:
    try:
        (directory / _STARTED).touch(exist_ok=False)
    except FileExistsError:
        return
    with (directory / "log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-P", __file__, str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,
        )


def _awaited(directory: Path) -> str:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if (directory / _READY).exists():
            return (directory / _READY).read_text()
        if (directory / _FAILED).exists():
            raise Unavailable((directory / _FAILED).read_text())
        time.sleep(0.02)
    raise Unavailable(f"the server was not ready within {_PATIENCE:.0f} seconds")


def _programs() -> Path:
    """The directory of the newest server binaries."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("postgres")
    if not found and not on_path:
        raise Unavailable(f"no server is installed; {_INSTALL}")
    return (found[-1] if found else Path(str(on_path)).resolve()).parent


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, so root runs it as the package's user, other users as themselves."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise Unavailable(f"root needs a user named postgres to run the server as; {_INSTALL}") from None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def _keep(directory: Path) -> None:
    """The main function of the keeper. Removes its directory at the end."""
    server = None
    try:
        server = _serving(directory)
        _write(directory / _READY, f"postgresql://postgres@/postgres?host={directory / 'server'}")
    except Exception as error:
        _write(directory / _FAILED, f"the server did not start ({_last_line(str(error))}); {_INSTALL}")
    with (directory / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
    if server is not None:
        _stop(server)
    shutil.rmtree(directory, ignore_errors=True)


def _serving(directory: Path) -> "subprocess.Popen[bytes]":
    programs, user, home = _programs(), _user(), directory / "server"
    home.mkdir(mode=0o700)
    if user:
        os.chown(home, user["user"], user["group"])
    data = home / "data"
    made = subprocess.run(_initdb(programs, data), capture_output=True, check=False, text=True, **user)
    if made.returncode:
        raise Unavailable(made.stderr.strip() or made.stdout.strip())
    options = [f"--{name}={value}" for name, value in _OPTIONS.items()]
    server: subprocess.Popen[bytes] = subprocess.Popen(
        [str(programs / "postgres"), "-D", str(data), "-k", str(home), *options], **user
    )
    try:
        asyncio.run(_answering(server, home))
    except BaseException:
        server.kill()
        raise
    return server


def _initdb(programs: Path, data: Path) -> list[str]:
    """The default collation is a language's, so that a sort without the bytewise collation fails."""
    command = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    version = programs.parent.name
    people = ["--locale-provider=icu", "--icu-locale=en-US"] if version.isdigit() and int(version) >= 15 else []
    return [*command, "--locale=C", *people]


async def _answering(server: "subprocess.Popen[bytes]", home: Path) -> None:
    until = time.monotonic() + _PATIENCE / 2
    while True:
        try:
            connection = await asyncpg.connect(host=str(home), user="postgres", database="postgres")
            await connection.close()
            return
        except (OSError, asyncpg.CannotConnectNowError) as error:
            if server.poll() is not None or time.monotonic() > until:
                raise Unavailable(f"it ended with {server.poll()}: {error}") from error
            await asyncio.sleep(0.02)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Immediate shutdown: nothing needs to be saved, but shared memory must be released."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()


def _write(path: Path, text: str) -> None:
    """Visible to others only with its whole content."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "it said nothing"


if __name__ == "__main__" and os.fork() == 0:
    # The started process exits immediately, so that nobody waits for the daemon.
    _keep(Path(sys.argv[1]))
