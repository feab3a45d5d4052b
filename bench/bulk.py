"""Changing many customers: a tag on all of them as a job, and its undo, against the same rows in bare SQL.

    python -m bench.bulk --url postgresql://user@host/database --customers 100000
    python -m bench.bulk --url sqlite:////tmp/bench.db --save

The database is migrated and filled by the first run. Both sides run in turn, on the same customers.
"""

import argparse
import asyncio
import datetime
from collections import defaultdict
from statistics import median
from typing import Any

import uvloop

from bench import baseline_sql, data, reads_during_jobs, tag_jobs
from bench.resource_usage import ResourceUsage, measure_usage, memory_megabytes
from bench.results import RESULTS_FILE
from crm.jobs import worker
from db import engine
from db.engine import Database
from db.queries import jobs

BARE, JOB, UNDO = "bare SQL, one transaction", "job", "undo of the job"


async def run_job(database: Database, job: Any, memories: list[float] | None = None) -> Any:
    """Runs the job to its end. The memory of this process during the run is added to `memories`."""
    work = asyncio.create_task(worker.run_next_job(database, "bench", asyncio.Event()))
    while not work.done():
        await asyncio.wait([work], timeout=0.5)
        if memories is not None:
            memories.append(memory_megabytes())
    work.result()
    return (await jobs.any_by_ids(database.session(job.workspace_id), [job.id]))[job.id]


async def run_rounds(chosen: argparse.Namespace, workspace_id: int) -> dict[str, list[ResourceUsage]]:
    """Each round: bare SQL, the job, its undo."""
    found: dict[str, list[ResourceUsage]] = defaultdict(list)
    database = await engine.connect(chosen.url, statement_timeout=900)
    viewer = await tag_jobs.administrator(database, workspace_id)
    for _ in range(chosen.rounds):
        tag = await baseline_sql.insert_tag(database, workspace_id)
        await baseline_sql.vacuum(database)
        with measure_usage(chosen.url) as cost:
            await baseline_sql.tag_customers(database, workspace_id, tag)
        found[BARE].append(cost)
        await baseline_sql.vacuum(database)
        memories: list[float] = []
        with measure_usage(chosen.url) as cost:
            job = await run_job(database, await tag_jobs.start_tag_job(database, viewer), memories)
        found[JOB].append(cost)
        print(f"job: {job.counts}, {cost}; memory {_quarters(memories)}", flush=True)
        await baseline_sql.vacuum(database)
        with measure_usage(chosen.url) as cost:
            undone = await run_job(database, await tag_jobs.start_undo(database, viewer, job))
        found[UNDO].append(cost)
        print(f"undo: {undone.counts}, {cost}", flush=True)
    await database.close()
    return found


def _quarters(memories: list[float]) -> str:
    """Memory after each quarter of the run."""
    places = [len(memories) * quarter // 4 for quarter in (1, 2, 3)]
    return ", ".join(f"{memories[place]:.0f}" for place in places) + f", {memories[-1]:.0f} MB"


def results_table(found: dict[str, list[ResourceUsage]]) -> list[str]:
    rows = [
        "| work | seconds | CPU seconds | of them in the database | to bare SQL, CPU | by the clock |",
        "|---|---|---|---|---|---|",
    ]
    for name, costs in found.items():
        cpu = median(one.cpu / base.cpu for one, base in zip(costs, found[BARE], strict=True))
        clock = median(one.seconds / base.seconds for one, base in zip(costs, found[BARE], strict=True))
        rows.append(
            f"| {name} | {median(one.seconds for one in costs):.1f} | {median(one.cpu for one in costs):.1f} "
            f"| {median(one.database for one in costs):.1f} | {cpu:.2f} | {clock:.2f} |"
        )
    return rows


def main() -> None:
    chosen = _arguments()
    made = asyncio.run(data.prepare_data(chosen.url, chosen.customers))
    lines: list[str] = []
    if "turns" in chosen.parts:
        lines += [*results_table(uvloop.run(run_rounds(chosen, made.workspace_id))), ""]
    if "meanwhile" in chosen.parts:
        lines += asyncio.run(reads_during_jobs.measure(made, seconds=chosen.seconds))
    print("\n" + "\n".join(lines))
    if chosen.save:
        kind = "SQLite" if chosen.url.startswith("sqlite:") else "PostgreSQL"
        head = f"## {datetime.date.today():%Y-%m-%d}, a tag on {chosen.customers:,} customers, {kind}"
        with RESULTS_FILE.open("a", encoding="utf-8") as record:
            record.write("\n".join(["", head, "", *lines]).rstrip() + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.bulk", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default="sqlite:///.clientela/bench.db", help="The database; made where it is SQLite.")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0, help="For which the list is read, quiet and meanwhile.")
    parser.add_argument("--parts", nargs="+", default=["turns", "meanwhile"], choices=["turns", "meanwhile"])
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
