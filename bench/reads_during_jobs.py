"""The effect of a large job on other readers and writers."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from bench import load, servers, tag_jobs
from bench.data import BenchData
from bench.documents import WORKS
from bench.resource_usage import memory_megabytes
from bench.servers import ENGINE, Server
from crm.customers import records
from crm.jobs import cancel_retry
from crm.unit_of_work import UnitOfWork, run_unit_of_work
from db import engine
from db.engine import Database
from db.queries import jobs
from db.tables.enums import JobStatus
from db.values import ids, wire_format

READERS = 4
WRITE_PAUSE_SECONDS = 0.02
"""Pause in seconds between two writes of the other writer."""


async def measure(data: BenchData, *, seconds: float) -> list[str]:
    """On PostgreSQL the list page, with the worker in another and in the same process; on SQLite other writers."""
    if data.url.startswith("sqlite:"):
        return [await _writers(data, seconds)]
    lines = [
        f"| P1 meanwhile, {READERS} connections | p50, p99 ms, quiet | meanwhile | p99 to quiet | the worker's MB |",
        "|---|---|---|---|---|",
    ]
    for name, own in (("a worker of its own", True), ("the server works on jobs, too", False)):
        lines.append(await asyncio.to_thread(_readers, data, seconds, name, own))
    return lines


def _readers(data: BenchData, seconds: float, name: str, own: bool) -> str:
    work = next(one for one in WORKS if one.name == "P1")
    body = orjson.dumps({"query": work.document, "variables": work.variables(data)})
    with servers.start_server(ENGINE, data, *(["--no-jobs"] if own else [])) as server:
        sent = load.encode_request(server.path("P1"), body, data.token)
        load.run_load(server.port, sent, connections=READERS, seconds=1)
        quiet = load.run_load(server.port, sent, connections=READERS, seconds=seconds)
        with _worker(data) if own else _none(server) as pid:
            job = asyncio.run(_begun(data))
            load.run_load(server.port, sent, connections=READERS, seconds=2)
            before = memory_megabytes(pid)
            busy = load.run_load(server.port, sent, connections=READERS, seconds=seconds)
            after = memory_megabytes(pid)
            done = asyncio.run(_cancelled(data, job))
    if quiet.failures or busy.failures:
        raise SystemExit(f"{quiet.failures} and {busy.failures} requests failed")
    print(f"{name}: {done} rows changed meanwhile", flush=True)
    return (
        f"| {name} | {quiet.quantile(0.5):.1f}, {quiet.quantile(0.99):.1f} | {busy.quantile(0.5):.1f}, "
        f"{busy.quantile(0.99):.1f} | {busy.quantile(0.99) / quiet.quantile(0.99):.2f} | {before:.0f}, {after:.0f} |"
    )


@contextmanager
def _worker(data: BenchData) -> Iterator[int]:
    environment = {**os.environ, "CLIENTELA_DATABASE_URL": data.url, "CLIENTELA_SECRET": "only for the benchmarks"}
    process = subprocess.Popen([sys.executable, "-m", "cli", "worker"], env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def _none(server: Server) -> Iterator[int]:
    yield server.process.pid


async def _begun(data: BenchData) -> Any:
    database = await engine.connect(data.url)
    job = await tag_jobs.start_tag_job(database, await tag_jobs.administrator(database, data.workspace_id))
    await database.close()
    return job


async def _cancelled(data: BenchData, job: Any) -> int:
    """The progress of the job, which is cancelled."""
    database = await engine.connect(data.url)
    viewer = await tag_jobs.administrator(database, data.workspace_id)
    await run_unit_of_work(
        database,
        viewer,
        lambda unit: cancel_retry.cancel_job(unit, wire_format.id_encoder("Job")(job.id)),
        now=ids.current_time(),
    )
    found: Any = None
    while found is None or found.finished_at is None:
        await asyncio.sleep(0.1)
        found = (await jobs.any_by_ids(database.session(data.workspace_id), [job.id]))[job.id]
    await database.close()
    assert found.status in (JobStatus.CANCELLED, JobStatus.DONE, JobStatus.DONE_WITH_ERRORS)
    return int(found.processed)


async def _writers(data: BenchData, seconds: float) -> str:
    """The duration of one customer's change in this process while another process runs the job."""
    database = await engine.connect(data.url)
    quiet = await _written(database, data, seconds)
    with _worker(data) as pid:
        job = await _begun(data)
        await asyncio.sleep(1)
        before = memory_megabytes(pid)
        busy = await _written(database, data, seconds)
        after = memory_megabytes(pid)
        done = await _cancelled(data, job)
    await database.close()
    return (
        f"Other writers on SQLite wait, p50, p99, at most: {_shown(quiet)} ms quiet, {_shown(busy)} ms while "
        f"{done:,} rows were changed by another process; its memory {before:.0f}, {after:.0f} MB."
    )


async def _written(database: Database, data: BenchData, seconds: float) -> list[float]:
    loop, found = asyncio.get_running_loop(), []
    viewer = await tag_jobs.administrator(database, data.workspace_id)
    until = loop.time() + seconds
    while loop.time() < until:
        began = loop.time()
        await run_unit_of_work(database, viewer, lambda unit: _write(unit, data.customer), now=ids.current_time())
        found.append(loop.time() - began)
        await asyncio.sleep(WRITE_PAUSE_SECONDS)
    return sorted(found)


async def _write(unit: UnitOfWork, customer: str) -> None:
    await records.update(unit, {"id": customer}, {"source": f"Fair {ids.new_id().hex()}"})


def _shown(times: list[float]) -> str:
    places = (len(times) // 2, len(times) * 99 // 100, len(times) - 1)
    return ", ".join(f"{1000 * times[place]:.0f}" for place in places)
