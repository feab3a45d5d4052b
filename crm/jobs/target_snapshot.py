"""The worker stores the rows of a large target before the job begins.

One statement reads them all from one snapshot. Concurrent changes can therefore neither skip a customer nor return one
twice. The rows are stored in batches; between two batches other writers run and the job can be cancelled."""

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
"""Seconds between two batches."""

TargetSource = Mapping[str, Any]
"""The source of the rows as stored with the job: `matching`, `logged`, `failed` or `listed`."""


class LeaseLost(Exception):
    """Another worker has the job, or it was cancelled: this chunk is rolled back."""


def changed_by_job(job_id: bytes, entities: Sequence[str]) -> TargetSource:
    """The rows that an earlier job changed."""
    return {"logged": job_id.hex(), "entities": list(entities)}


def failed_in_job(job_id: bytes) -> TargetSource:
    """The rows of an earlier job that failed."""
    return {"failed": job_id.hex()}


def is_pending(task: JobTask) -> bool:
    """Whether the target still has to be stored."""
    return "gathering" in task.state


async def store_snapshot(
    database: Database, viewer: Viewer, task: JobTask, worker: str, until: Callable[[], int]
) -> None:
    """Stores all rows with the job and replaces those that an earlier worker stored.

    `until` returns the new end of the lease. Raises LeaseLost, and InputError COUNT_MISMATCH if the caller expected
    another number of customers."""
    job = task.job
    leased_job = _LeasedJob(database, job, worker, until)
    await leased_job.clear()
    ends, row = [], 0
    for source in task.state["gathering"]:
        start = row
        async with aclosing(_batches(database.session(job.workspace_id), viewer, source)) as batches:
            async for batch in batches:
                await leased_job.add([(getattr(item, "row", row + index), item.id) for index, item in enumerate(batch)])
                row += len(batch)
                # Gives other writers a chance.
                await asyncio.sleep(PAUSE_SECONDS)
        targets.check_expected_count(source.get("expected"), row - start, ())
        ends.append(row)
    task.state.pop("gathering")
    job.matched = row
    if len(ends) > 1:
        # The customers to remove start where the customers to add end.
        arguments = {**job.arguments["given"], "adding": ends[0]}
        job.arguments = {**job.arguments, "given": arguments}
    await leased_job.store({"matched": row, "state": task.state, "arguments": job.arguments})


@dataclass(frozen=True, slots=True)
class _LeasedJob:
    """The leased job: every write verifies and renews the lease."""

    database: Database
    job: Row
    worker: str
    until: Callable[[], int]

    async def add(self, rows: Sequence[tuple[int, bytes]]) -> None:
        await self.store({}, lambda transaction: stored.insert_rows(transaction, self.job.id, rows))

    async def clear(self) -> None:
        highest = await stored.highest_row(self.database.session(self.job.workspace_id), self.job.id)
        for below in range(ROWS_PER_BATCH, highest + 1 + ROWS_PER_BATCH, ROWS_PER_BATCH):
            await self.store({}, partial(stored.delete_rows_below, job_id=self.job.id, below=below))

    async def store(
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


async def _batches(session: Session, viewer: Viewer, source: TargetSource) -> AsyncGenerator[Sequence[Any]]:
    if "listed" in source:
        yield [_Listed(bytes.fromhex(identifier)) for identifier in source["listed"]]
        return
    statement, values = await _statement(session, viewer, source)
    async with aclosing(session.stream(statement, ROWS_PER_BATCH, **values)) as batches:
        async for batch in batches:
            yield batch


@dataclass(frozen=True, slots=True)
class _Listed:
    id: bytes


async def _statement(session: Session, viewer: Viewer, source: TargetSource) -> BoundStatement:
    if "logged" in source:
        return stored.changed_rows_statement(bytes.fromhex(source["logged"]), source["entities"])
    if "failed" in source:
        return stored.failed_rows_statement(bytes.fromhex(source["failed"]))
    query, agent_id = CustomerQuery.from_stored_form(source["matching"]), viewer.agent_id
    try:
        match, sort = await matches.compile_query(
            session, query, visibility=viewer.visibility, agent_id=agent_id, now=source["now"]
        )
    except QueryError as error:
        raise targets.filter_error(error, ()) from None
    return stored.match_statement(matches.full_list_query(session, match), sort)
