"""Results: medians of the rounds, ratios, and the record in RESULTS.md."""

import argparse
import datetime
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median

from bench.documents import Work
from bench.servers import ENGINE, HAND, REFERENCE

RESULTS_FILE = Path(__file__).with_name("RESULTS.md")
_PACKAGES = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "asyncpg", "aiosqlite", "orjson", "uvloop")


@dataclass(frozen=True, slots=True)
class Measured:
    milliseconds: float
    """CPU milliseconds of the server process per request."""
    rate: float
    """Requests per second."""

    def __str__(self) -> str:
        return f"{self.milliseconds:.3f} ms CPU, {self.rate:.0f} requests/s"


def results_table(
    works: Sequence[Work], measured: Mapping[tuple[str, str], list[Measured]], servers: Sequence[str]
) -> str:
    """A Markdown table of the figures by server and the ratios of the targets."""
    rows = [
        "| work | server | CPU ms a request | requests/s | CPU to hand-written | reach |",
        "|---|---|---|---|---|---|",
    ]
    for work in works:
        cost = {name: median(each.milliseconds for each in measured[work.name, name]) for name in servers}
        for name in servers:
            rate = median(each.rate for each in measured[work.name, name])
            ratio = f"{cost[name] / cost[HAND]:.2f}" if HAND in cost else "-"
            reach = f"≤ {work.reach}" if name == ENGINE else ""
            rows.append(f"| {work.name} {work.what} | {name} | {cost[name]:.3f} | {rate:.0f} | {ratio} | {reach} |")
        if ENGINE in cost and REFERENCE in cost:
            rows.append(f"| {work.name} | graphql-core to the engine | {cost[REFERENCE] / cost[ENGINE]:.1f} × | | | |")
    return "\n".join(rows)


def save_results(table: str, chosen: argparse.Namespace) -> None:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    database = "SQLite" if chosen.url.startswith("sqlite:") else "PostgreSQL"
    head = f"## {datetime.date.today():%Y-%m-%d}, {database}, {chosen.customers:,} customers"
    told = (
        f"Python {platform.python_version()} ({sys.platform}), {versions}. {chosen.connections} connections, "
        f"{chosen.rounds} rounds of {chosen.seconds:g} seconds in turn, all servers running, medians."
    )
    with RESULTS_FILE.open("a", encoding="utf-8") as record:
        record.write(f"\n{head}\n\n{told}\n\n{table}\n")
