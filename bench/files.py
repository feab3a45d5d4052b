"""Files of many customers: an export beside COPY TO, an import beside COPY FROM into the same tables and indexes.

    python -m bench.files export --url postgresql://user@host/database [--format CSV] [--columns few|all]
    python -m bench.files import --url postgresql://user@host/database [--rows 100000]

The database is one that `clientela seed` has filled; PostgreSQL runs on this machine, for its processor time is counted
too. Both sides run in turn. The memory told is this process's, at each tenth of the job.
"""

import argparse
import asyncio
import datetime
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import uvloop

from bench.resource_usage import ResourceUsage, measure_usage, memory_megabytes
from bench.results import RESULTS_FILE
from crm.access import permissions
from crm.access.permissions import Viewer
from crm.exporting import jobs as exporting
from crm.files import storage, uploads
from crm.importing import jobs as importing
from crm.jobs import worker
from crm.unit_of_work import run_unit_of_work
from db import engine
from db.engine import Database, Transaction
from db.queries import jobs
from db.tables.enums import ActorKind, FileFormat, JobStatus, Role
from db.values import ids
from tests.support import factories

FEW_COLUMNS = ("id", "name", "phone", "email", "value", "stage", "tags", "phones", "company", "owner", "createdAt")

# Joined lists are built once for all customers and hashed: five times as fast as a subquery per customer.
COPY_TABLES = """
  SELECT 'cus_' || encode(c.id, 'hex'), c.name, c.phone, c.email, trim_scale(c.value / 10000.0),
    (ARRAY['NEW', 'TO_BE_ASSIGNED', 'FOLLOW_UP', 'POOL'])[c.stage + 1], worn.tags, held.phones, o.name, a.email,
    to_char(to_timestamp(c.created_at / 1000.0) AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  FROM customer c
  LEFT JOIN company o ON o.workspace_id = {number} AND o.id = c.company_id
  LEFT JOIN agent a ON a.workspace_id = {number} AND a.id = c.owner_id
  LEFT JOIN (
    SELECT l.customer_id, string_agg(t.name, '; ' ORDER BY t.name_key) AS tags
    FROM customer_tag l JOIN tag t ON t.workspace_id = {number} AND t.id = l.tag_id
    WHERE l.workspace_id = {number} GROUP BY 1
  ) worn ON worn.customer_id = c.id
  LEFT JOIN (
    SELECT customer_id, string_agg(phone, '; ' ORDER BY position) AS phones
    FROM customer_phone WHERE workspace_id = {number} GROUP BY 1
  ) held ON held.customer_id = c.id
  WHERE c.workspace_id = {number} AND c.archived_at IS NULL ORDER BY c.id DESC"""
# Without parallel workers, whose CPU time cannot be attributed.
_SETTINGS = {"jit": "off", "random_page_cost": "1.1", "work_mem": "32MB", "max_parallel_workers_per_gather": "0"}


async def run_job(database: Database, job: Any, held: list[float]) -> Any:
    """Runs the job to its end like a worker. `held` gets the memory at each tenth."""
    ended = asyncio.Event()
    watching = asyncio.create_task(_watch(database, job, held, ended))
    await worker.run_next_job(database, "bench", asyncio.Event())
    ended.set()
    await watching
    done: Any = (await jobs.any_by_ids(database.session(job.workspace_id), [job.id]))[job.id]
    if done.status != JobStatus.DONE:
        raise SystemExit(f"The job ended as {JobStatus(done.status).name}: {done.error} {done.counts}")
    return done


async def _watch(database: Database, job: Any, held: list[float], ended: asyncio.Event) -> None:
    while not ended.is_set():
        row: Any = (await jobs.any_by_ids(database.session(job.workspace_id), [job.id]))[job.id]
        if row.processed * 10 >= row.matched * len(held):
            held.append(memory_megabytes())
        await asyncio.sleep(0.5)


# ── export ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def measure_export(chosen: argparse.Namespace, database: Database, driver: Any, directory: Path) -> str:
    number = chosen.workspace
    agent = await driver.fetchval(
        "SELECT id FROM agent WHERE workspace_id = $1 AND role = 0 AND active LIMIT 1", number
    )
    viewer = Viewer(number, ActorKind.AGENT, agent, permissions.ROLE_PERMISSIONS[Role.ADMIN])
    hand, made, held = list[ResourceUsage](), list[ResourceUsage](), list[float]()
    columns = None if chosen.columns == "all" else [{"field": name} for name in FEW_COLUMNS]
    target = {"match": {"everyone": True, "archived": "EXCLUDE"}}

    async def begin(unit: Any) -> Any:
        return await exporting.start_export(unit, target, FileFormat[chosen.format], columns, {})

    for _ in range(chosen.rounds):
        with measure_usage(chosen.url) as cost:
            await driver.copy_from_query(COPY_TABLES.format(number=number), output=directory / "by hand", format="csv")
        hand.append(cost)
        with measure_usage(chosen.url) as cost:
            job = await run_unit_of_work(database, viewer, begin, now=ids.current_time())
            done = await run_job(database, job, held)
        made.append(cost)
        _forget(database, directory)
    title = f"export of {done.matched:,} customers, {chosen.format}, {chosen.columns} columns"
    return _told(title, "COPY TO of eleven columns", hand, "export", made, held)


def _forget(database: Database, directory: Path) -> None:
    for path in (directory / "made").iterdir():
        print(f"  a file of {path.stat().st_size / 1e6:.0f} MB")
        path.unlink()


# ── import ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_WRITTEN = (
    "customer", "customer_phone", "customer_email", "customer_tag", "customer_external_id", "customer_search", "change",
)  # fmt: skip


def write_sample_file(count: int, seed: int) -> str:
    """A realistic file: every customer has a phone number, an e-mail address, a birth date and three tags."""
    dice = random.Random(seed)
    given = ("Đức", "Mai", "Giulia", "Budi", "Anna", "Trang", "Marco", "Siti", "Olga", "Ngọc")
    lines = ["Full name,Email,Mobile,Birthday,Total spent,City,Source,Tags,Loyalty id"]
    for place in range(count):
        name = f"{dice.choice(given)} {dice.choice(given)} {place}"
        tags = "; ".join(dice.sample([f"group {number}" for number in range(40)], 3))
        born = f"{dice.randint(1, 28):02}/{dice.randint(1, 12):02}/{dice.randint(1950, 2005)}"
        phone = f"+849{dice.randint(0, 99_999_999):08}"
        lines.append(
            f"{name},{seed}.{place}@mail.example,{phone},{born},{dice.randint(0, 9_999)}.{dice.randint(0, 99):02},"
            f"{dice.choice(('Hà Nội', 'Milano', 'Jakarta', 'London'))},Fair,{tags},{seed}-{place}"
        )
    return "\r\n".join(lines)


MAPPING = (
    ("Full name", "name"), ("Email", "email"), ("Mobile", "phone"), ("Birthday", "birthDate"), ("Total spent", "value"),
    ("City", "address.city"), ("Source", "source"), ("Tags", "tags"), ("Loyalty id", "externalId.pos"),
)  # fmt: skip


async def measure_import(chosen: argparse.Namespace, database: Database, driver: Any, directory: Path) -> str:
    hand, made, held = list[ResourceUsage](), list[ResourceUsage](), list[float]()
    for turn in range(chosen.rounds):
        viewer = await _newcomer(database)
        upload = await _sent(database, viewer, write_sample_file(chosen.rows, turn).encode())
        given = {
            "upload": upload, "match_on": 0, "on_duplicate": 0, "stage": 1,
            "mapping": [{"header": header, "field": key} for header, key in MAPPING],
        }  # fmt: skip
        with measure_usage(chosen.url) as cost:
            looked = await importing.read_request(database.session(viewer.workspace_id), viewer, given)
            job = await run_unit_of_work(
                database, viewer,
                lambda unit, given=given, looked=looked: importing.start_import(unit, given, looked, None),  # type: ignore[misc]
                now=ids.current_time(),
            )  # fmt: skip
            done = await run_job(database, job, held)
        assert done.counts == {"CREATED": chosen.rows}, done.counts
        made.append(cost)
        copies = await _copies(database, driver, viewer.workspace_id, directory)
        with measure_usage(chosen.url) as cost:
            async with driver.transaction():
                for table, path in copies.items():
                    await driver.copy_to_table(table, source=path, format="binary")
        hand.append(cost)
    return _told(f"import of a CSV of {chosen.rows:,} rows", "COPY of the same rows", hand, "import", made, held)


async def _newcomer(database: Database) -> Viewer:
    """An administrator of an empty workspace."""
    number = await factories.workspace(database)
    agent = factories.agent(role=Role.ADMIN)
    agent.workspace_id = number

    async def insert(work: Transaction) -> None:
        await work.insert(agent)

    await database.write(number, insert)
    return Viewer(number, ActorKind.AGENT, agent.id, permissions.ROLE_PERMISSIONS[Role.ADMIN])


async def _sent(database: Database, viewer: Viewer, content: bytes) -> str:
    identifier = ids.new_id()
    relative, path = storage.storage_of(database).new_path(uploads.UPLOAD_ID_KIND, identifier)
    path.write_bytes(content)
    return await uploads.store_upload(database, viewer, identifier, name="bench", size=len(content), path=relative)


async def _copies(database: Database, driver: Any, number: int, directory: Path) -> dict[str, Path]:
    """The rows that the import wrote, for COPY into another workspace with the same tags and agents."""
    other = await factories.workspace(database)
    for table in ("agent", "tag", "job"):
        await driver.execute(_moved(table, number, other, await _names(driver, table)))
    found = {}
    for table in _WRITTEN:
        found[table] = directory / table
        wanted = ["$1::bigint" if name == "workspace_id" else f'"{name}"' for name in await _names(driver, table)]
        query = f"SELECT {', '.join(wanted)} FROM {table} WHERE workspace_id = $2"
        await driver.copy_from_query(query, other, number, output=found[table], format="binary")
    return found


async def _names(driver: Any, table: str) -> list[str]:
    rows = await driver.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        table,
    )
    return [row["attname"] for row in rows]


def _moved(table: str, number: int, other: int, names: list[str]) -> str:
    wanted = ", ".join(str(other) if name == "workspace_id" else f'"{name}"' for name in names)
    return f"INSERT INTO {table} SELECT {wanted} FROM {table} WHERE workspace_id = {number}"


# ── the table ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(
    title: str, hand: str, by_hand: list[ResourceUsage], name: str, made: list[ResourceUsage], held: list[float]
) -> str:
    lines = [f"| {title} | seconds | CPU s here | CPU s in PostgreSQL |", "|---|---|---|---|"]
    for what, costs in ((hand, by_hand), (name, made)):
        figures = [median(getattr(one, each) for one in costs) for each in ("seconds", "own", "database")]
        lines.append(f"| {what} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    clock = median(one.seconds for one in made) / median(one.seconds for one in by_hand)
    busy = median(one.cpu for one in made) / median(one.cpu for one in by_hand)
    tenths = ", ".join(f"{each:.0f}" for each in held)
    lines.append(f"\n**Ratio {clock:.2f} by the clock, {busy:.2f} of processor time.** MB at each tenth: {tenths}.")
    return "\n".join(lines)


WORKS: dict[str, Callable[..., Awaitable[str]]] = {"export": measure_export, "import": measure_import}


async def main(chosen: argparse.Namespace) -> None:
    database = await engine.connect(chosen.url)
    driver = await asyncpg.connect(chosen.url, server_settings=_SETTINGS)
    with tempfile.TemporaryDirectory() as directory:
        storage.attach_storage(database, storage.Storage(Path(directory), b"a secret of the bench alone"))
        table = await WORKS[chosen.work](chosen, database, driver, Path(directory))
    await driver.close()
    await database.close()
    print(table)
    if chosen.save:
        with RESULTS_FILE.open("a", encoding="utf-8") as record:
            record.write(f"\n## {datetime.date.today():%Y-%m-%d}, files\n\n{table}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("work", choices=list(WORKS))
    parser.add_argument("--url", required=True)
    parser.add_argument("--workspace", type=int, default=1)
    parser.add_argument("--format", choices=[one.name for one in FileFormat], default="CSV")
    parser.add_argument("--columns", choices=["few", "all"], default="few")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(_arguments()))
