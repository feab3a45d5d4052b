"""Gathering the rows of a large target: by the worker, before it begins, for as long as that takes.

One question finds them all, as they are at one moment, so that nobody is skipped or found twice while customers change.
They are kept in portions, between which others write and the job can be cancelled.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from crm.access.permissions import Viewer
from crm.jobs import targets
from crm.jobs.handlers import JobTask
from db.engine import Database, Session, Transaction
from db.filtering.errors import QueryError
from db.queries import jobs
from db.queries.matching import matches
from db.queries.matching import targets as stored
from db.queries.matching.matches import CustomerQuery
from db.queries.matching.targets import BoundStatement
from db.rows import Row

ROWS_PER_BATCH: Final = 2_000

PAUSE_SECONDS: Final = 0.01
"""Seconds between two portions."""

TargetSource = Mapping[str, Any]
"""Where rows come from, as it is kept with the job: `matching`, `logged`, `failed` or `listed`."""


class LeaseLost(Exception):
    """The job is another worker's now, or was cancelled: what this chunk did is undone."""


def changed_by_job(job_id: bytes, entities: Sequence[str]) -> TargetSource:
    """What an earlier job changed."""
    return {"logged": job_id.hex(), "entities": list(entities)}


def failed_in_job(job_id: bytes) -> TargetSource:
    """The rows of an earlier job that failed."""
    return {"failed": job_id.hex()}


def is_pending(task: JobTask) -> bool:
    """Whether there is something to gather still."""
    return "gathering" in task.state


async def store_snapshot(
    database: Database, viewer: Viewer, task: JobTask, worker: str, until: Callable[[], int]
) -> None:
    """Keeps all rows with the job; what an earlier worker had kept of them goes. `until` tells how long the job is the
    worker's from now on. Raises Lost, and Refused COUNT_MISMATCH where a person saw another number of customers."""
    job = task.job
    held = _Held(database, job, worker, until)
    await held.clear()
    ends, row = [], 0
    for source in task.state["gathering"]:
        start = row
        async with aclosing(_portions(database.session(job.workspace_id), viewer, source)) as portions:
            async for portion in portions:
                await held.add([(getattr(one, "row", row + place), one.id) for place, one in enumerate(portion)])
                row += len(portion)
                # Others write, too.
                await asyncio.sleep(PAUSE_SECONDS)
        targets.check_expected_count(source.get("expected"), row - start, ())
        ends.append(row)
    task.state.pop("gathering")
    job.matched = row
    if len(ends) > 1:
        # Those who come in end where those who go out begin.
        given = {**job.arguments["given"], "adding": ends[0]}
        job.arguments = {**job.arguments, "given": given}
    await held.keep({"matched": row, "state": task.state, "arguments": job.arguments})


@dataclass(frozen=True, slots=True)
class _Held:
    """The job while it is this worker's: every write looks whether it is."""

    database: Database
    job: Row
    worker: str
    until: Callable[[], int]

    async def add(self, rows: Sequence[tuple[int, bytes]]) -> None:
        await self.keep({}, lambda transaction: stored.insert_rows(transaction, self.job.id, rows))

    async def clear(self) -> None:
        highest = await stored.highest_row(self.database.session(self.job.workspace_id), self.job.id)
        for below in range(ROWS_PER_BATCH, highest + 1 + ROWS_PER_BATCH, ROWS_PER_BATCH):
            await self.keep({}, partial(stored.delete_rows_below, job_id=self.job.id, below=below))

    async def keep(
        self, changed: Mapping[str, Any], also: Callable[[Transaction], Awaitable[None]] | None = None
    ) -> None:
        async def rule(transaction: Transaction) -> None:
            if also is not None:
                await also(transaction)
            lease = {"leased_until": self.until()}
            if not await jobs.store_progress(
                transaction, self.job.id, self.worker, self.job.status, {**changed, **lease}
            ):
                raise LeaseLost

        await self.database.write(self.job.workspace_id, rule)


async def _portions(session: Session, viewer: Viewer, source: TargetSource) -> AsyncGenerator[Sequence[Any]]:
    if "listed" in source:
        yield [_Listed(bytes.fromhex(one)) for one in source["listed"]]
        return
    statement, values = await _statement(session, viewer, source)
    async with aclosing(session.stream(statement, ROWS_PER_BATCH, **values)) as portions:
        async for portion in portions:
            yield portion


@dataclass(frozen=True, slots=True)
class _Listed:
    id: bytes


async def _statement(session: Session, viewer: Viewer, source: TargetSource) -> BoundStatement:
    if "logged" in source:
        return stored.changed_rows_statement(bytes.fromhex(source["logged"]), source["entities"])
    if "failed" in source:
        return stored.failed_rows_statement(bytes.fromhex(source["failed"]))
    question, agent_id = CustomerQuery.from_stored_form(source["matching"]), viewer.agent_id
    try:
        match, sort = await matches.compile_query(
            session, question, visibility=viewer.visibility, agent_id=agent_id, now=source["now"]
        )
    except QueryError as refused:
        raise targets.filter_error(refused, ()) from None
    return stored.match_statement(matches.full_list_query(session, match), sort)
