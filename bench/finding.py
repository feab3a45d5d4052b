"""Finding customers among a million: questions beside SQL by hand, and pages far inside lists.

    python -m bench.finding --url postgresql://user@host/database [--workspace 1] [--rounds 9] [--save]

The database is one that `clientela seed` has filled. What is compared is the time of the statements that a first page
takes, all of them, against that of one statement by hand; in turn, medians of the rounds, on one connection.
"""

import argparse
import asyncio
import datetime
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import asyncpg

from bench.questions import Asked, questions
from bench.results import RECORD
from db import engine, paging
from db.engine import Database, Session
from db.paging import Window
from db.queries import matches
from db.queries.matches import Question
from db.sight import Sight

# "Now" of the seeded data.
NOW = 1_793_491_200_000
PAGES = (1, 1_000, 19_000)
SORTS: Mapping[str, Any] = {
    "newest first": None,
    "by name": [{"name": "ASC"}],
    "by value": [{"value": "DESC"}],
    "by birth date": [{"birthDate": "ASC"}],
}
# What a list of customers shows.
COLUMNS = frozenset(
    {"id", "name", "phone", "email", "value", "stage", "relationship_status", "created_at", "company_id", "owner_id"}
)
_GUCS = {"jit": "off", "random_page_cost": "1.1", "work_mem": "32MB", "statement_timeout": "60000"}

Statement = tuple[str, Sequence[Any]]


class Watching(Session):
    """A session that keeps what it sent."""

    def __init__(self, database: Database, workspace_id: int) -> None:
        super().__init__(database, workspace_id, COLUMNS)
        self.sent: list[Statement] = []

    async def _rows(self, statement: Any, columns: Any, values: dict[str, Any]) -> Any:
        compiled = statement.on(self.dialect, columns)
        self.sent.append(compiled.bind({**values, "workspace_id": self.workspace_id}))
        return await super()._rows(statement, columns, values)


async def main() -> None:
    chosen = _arguments()
    database = await engine.connect(chosen.url, size=1, statement_timeout=60)
    connection = await asyncpg.connect(chosen.url, server_settings=_GUCS)
    lines = [
        f"## {datetime.date.today():%Y-%m-%d}, finding, {await _count(connection, chosen.workspace):,} customers",
        "",
    ]
    lines += await _questions(database, connection, chosen)
    lines += ["", *await _pages(database, connection, chosen)]
    await connection.close()
    await database.close()
    if chosen.save:
        with RECORD.open("a", encoding="utf-8") as record:
            record.write("\n" + "\n".join(lines) + "\n")


async def _questions(database: Database, connection: Any, chosen: argparse.Namespace) -> list[str]:
    lines = ["| question | statements | ms | ms by hand | ratio |", "|---|---|---|---|---|"]
    _show(lines)
    ratios = []
    for asked in questions(await _known(connection, chosen.workspace), NOW):
        ours = await _statements(database, chosen.workspace, asked.question)
        by_hand = asked.sql.replace("c.*", ", ".join(f"c.{name}" for name in sorted(COLUMNS)))
        theirs: list[Statement] = [(by_hand, [chosen.workspace, *asked.values])]
        await _alike(connection, asked, ours[-1], theirs[0])
        mine, hand = await _compared(connection, ours, theirs, chosen.rounds)
        ratios.append(mine / hand)
        lines.append(f"| {asked.name} | {len(ours)} | {mine:.2f} | {hand:.2f} | {mine / hand:.2f} |")
        _show(lines[-1:])
    lines.append(f"| **median, worst** | | | | **{median(ratios):.2f}, {max(ratios):.2f}** |")
    _show(lines[-1:])
    return lines


async def _pages(database: Database, connection: Any, chosen: argparse.Namespace) -> list[str]:
    lines = [
        "| list | " + " | ".join(f"page {number:,}, ms" for number in PAGES) + " | last to first |",
        "|---|---|---|---|---|",
    ]
    _show(lines)
    for name, sort in SORTS.items():
        figures = []
        for number in PAGES:
            after = await _cursor(database, chosen.workspace, sort, (number - 1) * 50)
            statements = await _statements(database, chosen.workspace, Question(sort=sort), after)
            times = [await _time(connection, statements) for _ in range(10 * chosen.rounds + 6)]
            figures.append(median(times[6:]))
        lines.append(
            f"| {name} | " + " | ".join(f"{one:.2f}" for one in figures) + f" | {figures[-1] / figures[0]:.2f} |"
        )
        _show(lines[-1:])
    return lines


async def _statements(
    database: Database, workspace: int, question: Question, after: str | None = None
) -> list[Statement]:
    session = Watching(database, workspace)
    match, order = await matches.asked(session, question, sight=Sight(everything=True), agent_id=None, now=NOW)
    await paging.page(session, await matches.listing(session, match, order), Window(50, after=after), order)
    return session.sent


async def _cursor(database: Database, workspace: int, sort: Any, skipped: int) -> str | None:
    """The cursor behind so many rows: walked there, a large page at a time."""
    if not skipped:
        return None
    session = database.reading(workspace)
    match, order = await matches.asked(session, Question(sort=sort), sight=Sight(True), agent_id=None, now=NOW)
    listing, after = await matches.listing(session, match, order), None
    for size in [10_000] * (skipped // 10_000) + [skipped % 10_000] * bool(skipped % 10_000):
        page = await paging.page(session, listing, Window(size, after=after), order)
        after = page.cursor(page.rows[-1])
    return after


async def _compared(
    connection: Any, ours: Sequence[Statement], theirs: Sequence[Statement], rounds: int
) -> tuple[float, float]:
    """Milliseconds of each, in turn. The first rounds plan and warm up."""
    times = [(await _time(connection, ours), await _time(connection, theirs)) for _ in range(rounds + 6)]
    return median(one for one, _ in times[6:]), median(other for _, other in times[6:])


async def _time(connection: Any, statements: Sequence[Statement]) -> float:
    started = time.perf_counter()
    for text, values in statements:
        await connection.fetch(text, *values)
    return 1000 * (time.perf_counter() - started)


async def _alike(connection: Any, asked: Asked, ours: Statement, theirs: Statement) -> None:
    """Both find the same customers, or the comparison means nothing."""
    found = [[row["id"] for row in await connection.fetch(text, *values)] for text, values in (ours, theirs)]
    if found[0] != found[1]:
        raise SystemExit(f"{asked.name}: {len(found[0])} and {len(found[1])} rows, and not the same ones")


async def _known(connection: Any, workspace: int) -> dict[str, Any]:
    tags = await connection.fetch(
        "SELECT tag_id FROM customer_tag WHERE workspace_id = $1 GROUP BY 1 ORDER BY count(*) DESC, 1", workspace
    )
    return {
        "tags": [tags[0][0], tags[len(tags) // 2][0], tags[-1][0]],
        **{
            name: await connection.fetchval(
                f"SELECT {name}_id FROM customer WHERE workspace_id = $1 AND {name}_id IS NOT NULL "
                "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
                workspace,
            )
            for name in ("company", "owner")
        },
        **{
            name: await connection.fetchval(
                "SELECT id FROM custom_field WHERE workspace_id = $1 AND key = $2", workspace, name
            )
            for name in ("tier", "points")
        },
    }


async def _count(connection: Any, workspace: int) -> int:
    found: int = await connection.fetchval("SELECT count(*) FROM customer WHERE workspace_id = $1", workspace)
    return found


def _show(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.finding", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--workspace", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
