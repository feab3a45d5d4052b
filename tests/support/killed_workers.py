"""Killing workers at any moment, and going on: what tests of jobs that survive have in common.

A worker is a process of its own that works as in earnest, but with leases and chunks so short that there are many
moments to be killed at.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from crm.jobs import worker
from db.engine import Database, Session
from db.queries import jobs

KILLS: Final = int(os.environ.get("CLIENTELA_TEST_KILLS", "8"))
"""Kills per test and database; 50 find rare errors."""

WORKER: Final = """
import asyncio, os, signal, sys
from pathlib import Path
from crm.files import storage
from crm.files.storage import Storage
from crm.jobs import worker
from db import engine
worker.LEASE_MS, worker.LONG_LEASE_MS, worker.POLL_SECONDS = 300, 1_000, 0.02
worker.FIRST_CHUNK_ROWS = dict.fromkeys(worker.FIRST_CHUNK_ROWS, 20)
worker.TARGET_CHUNK_SECONDS = dict.fromkeys(worker.TARGET_CHUNK_SECONDS, 0.02)
{patch}
async def work():
    database = await engine.connect(sys.argv[1])
    storage.attach_storage(database, Storage(Path(sys.argv[2]), b"secret"))
    print("works", flush=True)
    await worker.run_worker(database, stop=asyncio.Event())
asyncio.run(work())
"""

APART: Final = """
from db.queries import jobs
keep, run_unit_of_work, pending, chunks = jobs.store_progress, worker.run_unit_of_work, [], []
async def kept(transaction, job_id, holder, status, changed):
    pending.append((transaction.workspace_id, job_id, holder, status, changed))
    return True
async def performed(database, viewer, rule, **named):
    done = await run_unit_of_work(database, viewer, rule, **named)
    chunks.append(done)
    if len(chunks) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    while pending:
        number, *rest = pending.pop(0)
        await database.write(number, lambda transaction: keep(transaction, *rest))
    return done
jobs.store_progress, worker.run_unit_of_work = kept, performed
"""
"""A worker that commits progress separately from its effect and is killed in between: the tests must detect it."""


def started(url: str, files: Path, *, patch: str = "") -> subprocess.Popen[bytes]:
    """Starts a worker."""
    command = [sys.executable, "-c", WORKER.replace("{patch}", patch), url, str(files)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"works\n"
    process.stdout.close()
    return process


async def survives(
    database: Database,
    url: str,
    files: Path,
    begin: Callable[[], Awaitable[Any]],
    check: Callable[[Any], Awaitable[None]],
    *,
    kills: int = KILLS,
    seed: int = 7,
) -> None:
    """Starts jobs and kills workers while they run. Each job is continued to its end and checked. Only kills that hit a
    job count."""
    dice, hit = random.Random(seed), 0
    while hit < kills:
        job = await begin()
        session = database.session(job.workspace_id)
        while hit < kills and (await _now(session, job)).finished_at is None:
            process = await asyncio.to_thread(started, url, files)
            await asyncio.sleep(dice.uniform(0.02, 0.6))
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
            hit += (await _now(session, job)).finished_at is None
        await check(await ended(database, job))


async def ended(database: Database, job: Any) -> Any:
    """Continues the job in this process after the lease of the killed worker has expired."""
    session = database.session(job.workspace_id)
    async with asyncio.timeout(120):
        while (await _now(session, job)).finished_at is None:
            if not await worker.run_next_job(database, "last", asyncio.Event()):
                await asyncio.sleep(0.05)
    return await _now(session, job)


async def _now(session: Session, job: Any) -> Any:
    return (await jobs.any_by_ids(session, [job.id]))[job.id]
