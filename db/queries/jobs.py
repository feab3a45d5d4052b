"""Jobs: targets, progress, and results by row."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Select,
    and_,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlmodel import col

from db import tables
from db.engine import Session, Transaction
from db.paging.keyset import ListQuery
from db.statements import PreparedStatement, any_of, group_rows, in_workspace, prepare
from db.tables.column_types import Code, Moment
from db.tables.enums import ActorKind, JobStatus, Outcome

_JOB, _TARGET, _ROW, _CHANGE = tables.Job, tables.JobTarget, tables.JobRow, tables.Change

MAX_POLLED_JOBS: Final = 20
"""Number of jobs that a worker reads when it looks for work."""


# ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def visible_to_viewer(everybodys: bool) -> Any:
    """The condition on jobs that the viewer can see: own jobs, or all with `everybodys`."""
    if everybodys:
        return true()
    return and_(
        col(_JOB.actor_kind) == bindparam("seen_kind", type_=Code), col(_JOB.actor_id) == bindparam("seen_actor")
    )


_BY_IDS = {
    everybodys: prepare(select(_JOB).where(in_workspace(_JOB), any_of(_JOB.id, "ids"), visible_to_viewer(everybodys)))
    for everybodys in (True, False)
}
_LOCKED = prepare(
    select(_JOB).where(in_workspace(_JOB), col(_JOB.id) == bindparam("job_id")).with_for_update(key_share=True)
)
_UNDONE_BY = prepare(
    select(_JOB)
    .where(
        in_workspace(_JOB),
        any_of(_JOB.undo_of, "ids"),
        col(_JOB.dry_run).is_(False),
        col(_JOB.status) != JobStatus.FAILED.value,
    )
    .order_by(col(_JOB.id))
)


async def by_ids(
    session: Session, ids: Sequence[bytes], everybodys: bool, kind: ActorKind, actor_id: bytes
) -> Mapping[bytes, tables.Job]:
    """The jobs of that actor, or of all actors, by id."""
    rows = await session.fetch_all(_BY_IDS[everybodys], ids=ids, seen_kind=int(kind), seen_actor=actor_id)
    return {row.id: row for row in rows}


async def any_by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Job]:
    """The jobs by id, of any actor."""
    return {row.id: row for row in await session.fetch_all(_BY_IDS[True], ids=ids)}


async def lock_by_ids(transaction: Transaction, job_id: bytes) -> Any:
    """Locks the job until the end of the transaction; None if it does not exist."""
    return await transaction.fetch_first(_LOCKED, job_id=job_id)


async def undo_jobs_of(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Job]:
    """The undo job of each job."""
    return {row.undo_of: row for row in reversed(await session.fetch_all(_UNDONE_BY, ids=ids)) if row.undo_of}


def list_query(everybodys: bool, kind: ActorKind, actor_id: bytes, statuses: Sequence[int] | None) -> ListQuery:
    """The jobs of that actor, or of all actors, newest first."""

    def build(dialect: str) -> Select[Any]:
        found = select(_JOB).where(in_workspace(_JOB), visible_to_viewer(everybodys))
        return found if statuses is None else found.where(any_of(_JOB.status, "statuses"))

    values = {"seen_kind": int(kind), "seen_actor": actor_id, "statuses": statuses}
    return ListQuery(("jobs", everybodys, statuses is None), build, _JOB, True, values)


# ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_OPEN = prepare(
    select(col(_JOB.workspace_id), col(_JOB.id))
    .where(
        col(_JOB.finished_at).is_(None),
        or_(col(_JOB.leased_until).is_(None), col(_JOB.leased_until) < bindparam("now", type_=Moment)),
    )
    .order_by(func.coalesce(col(_JOB.leased_until), 0), col(_JOB.id))
    .limit(MAX_POLLED_JOBS)
)
_CLAIM = prepare(
    update(_JOB)
    .where(
        in_workspace(_JOB),
        col(_JOB.id) == bindparam("job_id"),
        col(_JOB.finished_at).is_(None),
        or_(col(_JOB.leased_until).is_(None), col(_JOB.leased_until) < bindparam("now", type_=Moment)),
    )
    .values(leased_by=bindparam("worker"), leased_until=bindparam("until", type_=Moment))
)
_RELEASE = prepare(
    update(_JOB)
    .where(in_workspace(_JOB), col(_JOB.id) == bindparam("job_id"), col(_JOB.leased_by) == bindparam("worker"))
    .values(leased_by=None, leased_until=bindparam("until", type_=Moment))
)


_CLOCK: PreparedStatement[Any] = prepare(
    select(cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger).label("now")),
    sqlite=select(cast((func.julianday("now") - 2440587.5) * 86_400_000, BigInteger).label("now")),
)


async def database_clock(session: Session) -> int:
    """The current time by the database's clock."""
    found: int = (await session.fetch_all(_CLOCK))[0].now
    return found


async def open_jobs(session: Session, now: int) -> list[Any]:
    """(workspace_id, id) of jobs of all workspaces that wait for a worker: new jobs first, oldest first, then those
    that have waited longest."""
    return await session.fetch_all(_OPEN, now=now)


async def claim_job(transaction: Transaction, job_id: bytes, worker: str, *, now: int, until: int) -> bool:
    """Takes the lease of the job. Returns whether this worker got it; only one of several does."""
    return await transaction.execute(_CLAIM, job_id=job_id, worker=worker, now=now, until=until) > 0


async def release_job(transaction: Transaction, job_id: bytes, worker: str, *, until: int | None) -> None:
    """Ends the worker's lease. The job waits for the next worker, not before `until`."""
    await transaction.execute(_RELEASE, job_id=job_id, worker=worker, until=until)


async def store_progress(
    transaction: Transaction, job_id: bytes, worker: str, status: int, changed: Mapping[str, Any]
) -> bool:
    """Stores progress. Returns False if the worker has lost the lease or the status has changed."""
    return await transaction.execute(_keep(tuple(changed)), job_id=job_id, worker=worker, seen_status=status, **{
        f"to_{name}": value for name, value in changed.items()
    }) > 0  # fmt: skip


@cache
def _keep(names: tuple[str, ...]) -> PreparedStatement[Any]:
    return prepare(
        update(_JOB)
        .where(
            in_workspace(_JOB),
            col(_JOB.id) == bindparam("job_id"),
            col(_JOB.leased_by) == bindparam("worker"),
            col(_JOB.status) == bindparam("seen_status", type_=Code),
        )
        .values({name: bindparam(f"to_{name}") for name in names})
    )


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_SKIP_REST = prepare(
    insert(_ROW).from_select(
        ["workspace_id", "job_id", "row", "node_id", "outcome"],
        select(
            col(_TARGET.workspace_id),
            col(_TARGET.job_id),
            col(_TARGET.row),
            col(_TARGET.node_id),
            bindparam("skipped", type_=Code).label("outcome"),
        ).where(
            in_workspace(_TARGET), col(_TARGET.job_id) == bindparam("job_id"), col(_TARGET.row) != bindparam("failed")
        ),
    )
)


async def skip_remaining_rows(transaction: Transaction, job_id: bytes, failed: int) -> int:
    """Marks every row of the job's target except one as skipped."""
    return await transaction.execute(_SKIP_REST, job_id=job_id, failed=failed, skipped=int(Outcome.SKIPPED))


async def changed_rows(
    session: Session, job_id: bytes, after: int, size: int, actions: Sequence[int] | None
) -> list[Any]:
    """The next rows whose results are in the change log."""
    return await session.fetch_all(_logged(actions is None), job_id=job_id, after=after, size=size, actions=actions)


@cache
def _logged(every: bool) -> PreparedStatement[Any]:
    found = select(_CHANGE).where(
        in_workspace(_CHANGE), col(_CHANGE.job_id) == bindparam("job_id"), col(_CHANGE.row) > bindparam("after")
    )
    if not every:
        found = found.where(any_of(_CHANGE.action, "actions"))
    return prepare(found.order_by(col(_CHANGE.row)).limit(bindparam("size")))


async def stored_rows(
    session: Session, job_id: bytes, after: int, size: int, outcomes: Sequence[int] | None
) -> list[Any]:
    """The next rows whose results are stored with the job: skipped, failed, unchanged, and all rows of a dry run."""
    return await session.fetch_all(_apart(outcomes is None), job_id=job_id, after=after, size=size, outcomes=outcomes)


@cache
def _apart(every: bool) -> PreparedStatement[Any]:
    found = select(_ROW).where(
        in_workspace(_ROW), col(_ROW.job_id) == bindparam("job_id"), col(_ROW.row) > bindparam("after")
    )
    if not every:
        found = found.where(any_of(_ROW.outcome, "outcomes"))
    return prepare(found.order_by(col(_ROW.row)).limit(bindparam("size")))


_OF_NODES = prepare(
    select(_CHANGE)
    .where(in_workspace(_CHANGE), col(_CHANGE.job_id) == bindparam("job_id"), any_of(_CHANGE.node_id, "ids"))
    .order_by(col(_CHANGE.seq))
)


async def changes_by_node(session: Session, job_id: bytes, ids: Sequence[bytes]) -> Mapping[bytes, list[Any]]:
    """The changes that the job made to each record, in order."""
    return group_rows(await session.fetch_all(_OF_NODES, job_id=job_id, ids=ids), "node_id")
