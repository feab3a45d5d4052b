"""Finding customers among a million: questions beside SQL by hand, totals too, and pages far inside lists.

    python -m bench.list_queries --url postgresql://user@host/database [--workspace 1] [--rounds 9] [--save]
    python -m bench.list_queries --url sqlite:////tmp/million.db

The database is one that `clientela seed` has filled. What is compared is the time of the statements that a first page
takes, all of them, against that of one statement by hand; in turn, on one connection: medians of the times, and of the
ratios within a round. What a
server knows already of a workspace that it was asked about a moment ago, its fields and its time zone, it knows here.
"""

import argparse
import asyncio
import datetime
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench import drivers
from bench.drivers import DriverConnection, Statement
from bench.query_cases import QueryCase, query_cases
from bench.results import RESULTS_FILE
from bench.total_cases import TotalCase, total_cases
from db import engine
from db.engine import Database, Session
from db.paging import keyset
from db.paging.keyset import PageRequest
from db.queries.matching import filter_contexts, grouping, matches, totals
from db.queries.matching.grouping import UNGROUPED
from db.queries.matching.matches import CustomerQuery
from db.short_cache import ShortCache
from db.visibility import Visibility

# The current time of the seeded data.
NOW = 1_793_491_200_000
SEES_ALL = Visibility(sees_all=True)
PAGES = (1, 1_000, 19_000)
SORTS: dict[str, Any] = {
    "newest first": None,
    "by name": [{"name": "ASC"}],
    "by value": [{"value": "DESC"}],
    "by birth date": [{"birthDate": "ASC"}],
    "by points, a custom field": [{"customField": {"key": "points", "order": "DESC"}}],
}
# The columns of a customer list.
COLUMNS = frozenset(
    {"id", "name", "phone", "email", "value", "stage", "relationship_status", "created_at", "company_id", "owner_id"}
)


class StatementWatcher(Session):
    """A session that records the statements it sends."""

    def __init__(self, database: Database, workspace_id: int) -> None:
        super().__init__(database, workspace_id, COLUMNS)
        self.sent: list[Statement] = []

    async def _rows(self, statement: Any, columns: Any, values: dict[str, Any]) -> Any:
        compiled = statement.on(self.dialect, columns)
        self.sent.append(compiled.bind({**values, "workspace_id": self.workspace_id}))
        return await super()._rows(statement, columns, values)


async def main() -> None:
    chosen = _arguments()
    ShortCache.LIFETIME_SECONDS = float("inf")
    database, side = (
        await engine.connect(chosen.url, size=1, statement_timeout=120),
        await drivers.open_connection(chosen.url),
    )
    customers = (
        await side.fetch((side.spelt("SELECT count(*) FROM customer WHERE workspace_id = $1"), [chosen.workspace]))
    )[0][0]
    bench = ListQueryBench(database, side, chosen.workspace, chosen.rounds, chosen.only, customers)
    lines = [f"## {datetime.date.today():%Y-%m-%d}, finding, {side.name}, {customers:,} customers", ""]
    lines += [*await bench.questions(), "", *await bench.sums(), "", *await bench.pages()]
    await side.close()
    await database.close()
    if chosen.save:
        with RESULTS_FILE.open("a", encoding="utf-8") as record:
            record.write("\n" + "\n".join(lines) + "\n")


class ListQueryBench:
    """One run on one database."""

    def __init__(
        self, database: Database, side: DriverConnection, workspace: int, rounds: int, only: str, customers: int
    ) -> None:
        self.database = database
        self.side = side
        self.workspace = workspace
        self.rounds = rounds
        self.only = only
        self.customers = customers

    async def questions(self) -> list[str]:
        lines = _shown(["| question | statements | ms | ms by hand | ratio |", "|---|---|---|---|---|"])
        ratios = []
        for asked in query_cases(await self._known(), NOW):
            if self.only in asked.name:
                await self.page(asked.question)
                ours = await self.page(asked.question)
                by_hand = self._by_hand(asked)
                await self._alike(asked.name, ours[-1], by_hand)
                lines += await self._compared(asked.name, ours, by_hand, ratios)
        return [*lines, *_worst(ratios)]

    async def sums(self) -> list[str]:
        lines = _shown(["| totals | statements | ms | ms by hand | ratio |", "|---|---|---|---|---|"])
        ratios = []
        for asked in total_cases(await self._known(), NOW):
            if self.only in asked.name:
                await self.total(asked)
                ours = await self.total(asked)
                by_hand = (self.side.spelt(asked.sql), [self.workspace, *asked.values])
                await self._counted_alike(asked, ours[-1], by_hand)
                lines += await self._compared(asked.name, ours, by_hand, ratios)
        return [*lines, *_worst(ratios)]

    async def pages(self) -> list[str]:
        heads = " | ".join(f"page {number:,}, ms" for number in PAGES)
        lines = _shown([f"| list | {heads} | page 1,000 to 1 | page 19,000 to 1 |", "|---|---|---|---|---|---|"])
        pages = [number for number in PAGES if number * 50 <= self.customers]
        for name, sort in SORTS.items():
            if self.only in name:
                statements = []
                for number in pages:
                    after = await self._cursor(sort, (number - 1) * 50)
                    statements.append(await self.page(CustomerQuery(sort=sort), after))
                figures = await drivers.time_in_turn(self.side, statements, 5 * self.rounds)
                none = [""] * (len(PAGES) - len(pages))
                cells = " | ".join([f"{figures.median(place):.2f}" for place in range(len(pages))] + none)
                ratios = " | ".join([f"{figures.ratio(place, 0):.2f}" for place in range(1, len(pages))] + none)
                lines += _shown([f"| {name} | {cells} | {ratios} |"])
        return lines

    async def page(self, question: CustomerQuery, after: str | None = None) -> list[Statement]:
        """The statements of a page."""
        session = StatementWatcher(self.database, self.workspace)
        match, order = await matches.compile_query(session, question, visibility=SEES_ALL, agent_id=None, now=NOW)
        await keyset.fetch_page(
            session, await matches.root_list_query(session, match, order), PageRequest(50, after=after), order
        )
        return session.sent

    async def total(self, asked: TotalCase) -> list[Statement]:
        """The statements of a count, an aggregate or groups."""
        session = StatementWatcher(self.database, self.workspace)
        match, _ = await matches.compile_query(session, asked.question, visibility=SEES_ALL, agent_id=None, now=NOW)
        if asked.by is None:
            await keyset.count_rows(session, matches.full_list_query(session, match), asked.at_most)
            return session.sent
        known = await filter_contexts.load_filter_context(
            session, asked.by, now=NOW, agent_id=None, visibility=SEES_ALL, clock=True
        )
        by = grouping.parse_grouping(asked.by, known) if asked.by else UNGROUPED
        await totals.fetch_totals(session, [totals.TotalsSource(matches.full_list_query(session, match))], by, 50)
        return session.sent

    async def _cursor(self, sort: Any, skipped: int) -> str | None:
        """The cursor after that many rows, found with large pages."""
        session, after = self.database.session(self.workspace), None
        match, order = await matches.compile_query(
            session, CustomerQuery(sort=sort), visibility=SEES_ALL, agent_id=None, now=NOW
        )
        listing = await matches.root_list_query(session, match, order)
        for size in [10_000] * (skipped // 10_000) + [skipped % 10_000] * bool(skipped % 10_000):
            page = await keyset.fetch_page(session, listing, PageRequest(size, after=after), order)
            after = page.cursor(page.rows[-1])
        return after

    def _by_hand(self, asked: QueryCase) -> Statement:
        text = asked.on_sqlite if asked.on_sqlite and self.side.name == "SQLite" else asked.sql
        text = text.replace("c.*", ", ".join(f"c.{name}" for name in sorted(COLUMNS)))
        return self.side.spelt(text), [self.workspace, *asked.values]

    async def _compared(
        self, name: str, ours: Sequence[Statement], by_hand: Statement, ratios: list[float]
    ) -> list[str]:
        times = await drivers.time_in_turn(self.side, [ours, [by_hand]], self.rounds)
        ratios.append(times.ratio(0, 1))
        mine, hand = times.median(0), times.median(1)
        return _shown([f"| {name} | {len(ours)} | {mine:.2f} | {hand:.2f} | {ratios[-1]:.2f} |"])

    async def _alike(self, name: str, ours: Statement, by_hand: Statement) -> None:
        """Checks that both find the same customers. In handwritten SQL the id is the fourth column."""
        place = sorted(COLUMNS).index("id")
        mine = [row[0] for row in await self.side.fetch(ours)]
        hand = [row[place] for row in await self.side.fetch(by_hand)]
        if mine != hand:
            raise SystemExit(f"{name}: {len(mine)} and {len(hand)} rows, and not the same ones")

    async def _counted_alike(self, asked: TotalCase, ours: Statement, by_hand: Statement) -> None:
        """Checks that both count the same. Our rows start with the keys, the handwritten ones with the count."""
        keys = len(asked.by or ())
        mine = sorted(row[keys] for row in await self.side.fetch(ours))
        hand = sorted(row[0] for row in await self.side.fetch(by_hand))
        if mine != hand:
            raise SystemExit(f"{asked.name}: {len(mine)} and {len(hand)} rows, and not the same counts")

    async def _known(self) -> dict[str, Any]:
        """Records of the workspace: tags by frequency, a large company, a busy agent, fields."""

        async def first(text: str, *values: Any) -> Any:
            return [row[0] for row in await self.side.fetch((self.side.spelt(text), [self.workspace, *values]))]

        tags = await first(
            "SELECT tag_id FROM customer_tag WHERE workspace_id = $1 GROUP BY 1 ORDER BY count(*) DESC, 1"
        )
        most = (
            "SELECT {0}_id FROM customer WHERE workspace_id = $1 AND {0}_id IS NOT NULL "
            "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        )
        field = "SELECT id FROM custom_field WHERE workspace_id = $1 AND key = $2"
        return {
            "tags": [tags[0], tags[len(tags) // 2], tags[-1]],
            **{name: (await first(most.format(name)))[0] for name in ("company", "owner")},
            **{key: (await first(field, key))[0] for key in ("tier", "points")},
        }


def _worst(ratios: Sequence[float]) -> list[str]:
    return _shown([f"| **median, worst** | | | | **{median(ratios):.2f}, {max(ratios):.2f}** |"]) if ratios else []


def _shown(lines: list[str]) -> list[str]:
    print("\n".join(lines), flush=True)
    return lines


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.list_queries", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--workspace", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="Questions, totals and lists with this in their names.")
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
