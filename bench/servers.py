"""The measured servers: one process each, started as in production."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.data import BenchData

HAND, REFERENCE, ENGINE = "hand-written", "graphql-core", "the engine"
SERVERS = (HAND, REFERENCE, ENGINE)


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    process: subprocess.Popen[bytes]
    port: int

    def path(self, work: str) -> str:
        return f"/{work.lower()}" if self.name == HAND else "/graphql"

    @property
    def cpu(self) -> float:
        """User and system seconds of the process's threads."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def start_server(name: str, data: BenchData, *options: str) -> Iterator[Server]:
    """`options` are those of `clientela serve`."""
    port = _free_port()
    command = [sys.executable, "-m", "cli", "serve", "--port", str(port), *options]
    if name == HAND:
        command = [sys.executable, "-m", "bench.handwritten", data.url, str(port)]
    environment = {
        **os.environ,
        "CLIENTELA_DATABASE_URL": data.url,
        "CLIENTELA_SECRET": "only for the benchmarks",
        "CLIENTELA_ENGINE": "reference" if name == REFERENCE else "breadth-first",
    }
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(port, process)
        yield Server(name, process, port)
    finally:
        process.terminate()
        process.wait(15)


def send_query(server: Server, work: str, body: bytes, token: str) -> bytes:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    asked = urllib.request.Request(f"http://127.0.0.1:{server.port}{server.path(work)}", body, headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        found: bytes = answer.read()
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")
