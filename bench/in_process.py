"""What an answer costs in the process alone: both applications called without sockets, the driver answering at once.

    python -m bench.in_process --url postgresql://user@host/database --email an@agent.example
    python -m bench.in_process --works P1 --where

What the machine does beside it disturbs least of all here, so it shows what a change came to. Microseconds, the least
of many short runs in turn. `--where` samples the server's own stack, and tells in which files the time went.
"""

import argparse
import asyncio
import gc
import logging.config
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from types import FrameType
from typing import Any

import asyncpg
import orjson
import uvloop

from bench import data, handwritten
from bench.documents import WORKS, Work
from cli import logs
from crm.settings import read_settings
from graph import app

_RUNS, _ASKED = 400, 8
_RUNNING: list[Any] = []

ReceivedAnswer = Callable[[], Awaitable[bytes]]


class RecordedConnection:
    """A connection whose `fetch` reads once and then returns the recorded result."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._read: dict[Any, Any] = {}
        self._turn = asyncio.Lock()
        self.asked = 0

    async def fetch(self, statement: str, *values: Any, record_class: Any = None) -> Any:
        self.asked += 1
        found = self._read.get((statement, record_class))
        if found is None:
            async with self._turn:
                found = await self._driver.fetch(statement, *values, record_class=record_class)
            self._read[statement, record_class] = found
        # The result arrives in a later turn of the loop, as from a database.
        await asyncio.sleep(0)
        return found

    def is_closed(self) -> bool:
        return False

    def is_in_transaction(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


def main() -> None:
    chosen = _arguments()
    uvloop.run(_measured(chosen))


async def _measured(chosen: argparse.Namespace) -> None:
    made = await data.prepare_data(chosen.url, chosen.customers, chosen.email)
    driver = RecordedConnection(await asyncpg.connect(made.url))
    hand, ours = _by_hand(driver), await _application(made, driver)
    print("| work | hand-written, µs | the engine, µs | more than by hand | ratio | statements |")
    print("|---|---|---|---|---|---|")
    for work in WORKS:
        if work.name in chosen.works:
            await _compared(work, made, driver, hand, ours, where=chosen.where)


async def _compared(
    work: Work, made: data.BenchData, driver: RecordedConnection, hand: Any, ours: Any, *, where: bool
) -> None:
    body = orjson.dumps({"query": work.document, "variables": work.variables(made)})
    by_hand, by_engine = _asking(hand, f"/{work.name.lower()}", body, made), _asking(ours, "/graphql", body, made)
    answers = [orjson.loads(await each()) for each in (by_hand, by_engine)]
    assert answers[0]["data"] == answers[1].get("data"), f"the answers differ: {[str(one)[:1_000] for one in answers]}"
    await by_engine()
    asked = driver.asked
    await by_engine()
    statements = driver.asked - asked
    one, other = await _in_turn([by_hand, by_engine])
    shown = f"{one:.0f} | {other:.0f} | {other - one:.0f} | {other / one:.2f} | {statements}"
    print(f"| {work.name} | {shown} |", flush=True)
    if where:
        await _where(by_engine)


async def _in_turn(asking: Sequence[ReceivedAnswer]) -> list[float]:
    """Microseconds per answer: the fastest twentieth of the runs, which other load disturbs least."""
    times: list[list[float]] = [[] for _ in asking]
    gc.collect()
    gc.freeze()
    gc.disable()
    for _ in range(_RUNS):
        for place, answer in enumerate(asking):
            began = time.thread_time()
            await asyncio.gather(*(answer() for _ in range(_ASKED)))
            times[place].append((time.thread_time() - began) / _ASKED * 1e6)
        gc.collect(0)
    gc.enable()
    return [quantiles(one, n=20)[0] for one in times]


async def _where(answer: ReceivedAnswer, seconds: float = 6.0) -> None:
    """Prints the sampled stack by file and function, in percent."""
    inside: Counter[str] = Counter()
    own: Counter[str] = Counter()
    here = Path(__file__).parent.parent

    def look(_: int, frame: FrameType | None) -> None:
        seen = set()
        own[_name(frame, here)] += 1
        while frame is not None:
            seen.add(_name(frame, here))
            frame = frame.f_back
        inside.update(seen)

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        await asyncio.gather(*(answer() for _ in range(_ASKED)))
    signal.setitimer(signal.ITIMER_PROF, 0)
    total = own.total()
    for title, found in (("own", own), ("with what it calls", inside)):
        print(f"\n{title}:")
        for name, count in found.most_common(45):
            print(f"  {100 * count / total:5.1f}  {name}")


def _name(frame: FrameType | None, here: Path) -> str:
    assert frame is not None
    file = frame.f_code.co_filename.removeprefix(str(here) + "/")
    return f"{'/'.join(file.rsplit('/', 3)[-3:])} {frame.f_code.co_qualname}"


def _by_hand(driver: RecordedConnection) -> Any:
    @asynccontextmanager
    async def lent() -> Any:
        yield driver

    return handwritten.answering(lent)


async def _application(made: data.BenchData, driver: RecordedConnection) -> Any:
    settings = read_settings(
        {
            "CLIENTELA_DATABASE_URL": made.url,
            "CLIENTELA_SECRET": "only for the benchmarks",
            "CLIENTELA_JOBS": "off",
            "CLIENTELA_ENGINE": os.environ.get("CLIENTELA_ENGINE", ""),
        }
    )
    # Writes a log line per operation, as in production.
    logging.config.dictConfig(logs.logging_configuration("text"))
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(open(os.devnull, "w", buffering=1))  # noqa: SIM115 - until the process ends.
    application = app.create_application(settings)
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def receive() -> Any:
        return {"type": "lifespan.startup"} if not started.done() else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        started.set_result(None)

    async def connect(*_: Any, **__: Any) -> Any:
        return driver

    _RUNNING.append(asyncio.ensure_future(application({"type": "lifespan"}, receive, send)))
    await started
    asyncpg.connect = connect
    return application


def _asking(application: Any, path: str, body: bytes, made: data.BenchData) -> ReceivedAnswer:
    """Calls the application as uvicorn does."""
    headers = [
        (b"host", b"127.0.0.1"),
        (b"content-type", b"application/json"),
        (b"accept", b"*/*"),
        (b"authorization", f"Bearer {made.token}".encode()),
        (b"content-length", str(len(body)).encode()),
    ]

    async def answer() -> bytes:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 50_000),
            "scheme": "http",
            "root_path": "",
            "headers": headers,
            "state": {},
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
        }
        sent: list[bytes] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                sent.append(message["body"])

        await application(scope, receive, send)
        return sent[0]

    return answer


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m bench.in_process", description=__doc__)
    options.add_argument("--url", required=True, help="A PostgreSQL database.")
    options.add_argument("--customers", type=int, default=20_000)
    options.add_argument("--email", help="An agent whose workspace is measured, in place of one that is made.")
    options.add_argument("--works", nargs="+", default=["P1", "P2", "P3", "P4"])
    options.add_argument("--where", action="store_true")
    return options.parse_args()


if __name__ == "__main__":
    main()
