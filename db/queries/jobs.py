"""Jobs: what they work on, how far they are, what became of each row."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlmodel import col

from db import tables
from db.engine import Session, Work
from db.paging import Kept, Listing, ordered
from db.reading import WORKSPACE, Built, Prepared, among, grouped, here, prepared
from db.sorting import Sort
from db.tables.columns import Code, Moment
from db.tables.enums import ActorKind, JobStatus, Outcome

_JOB, _TARGET, _ROW, _CHANGE = tables.Job, tables.JobTarget, tables.JobRow, tables.Change

AT_ONCE: Final = 20
"""Jobs that a worker looks at when it looks for work."""

ENDED: Final = (JobStatus.DONE, JobStatus.DONE_WITH_ERRORS, JobStatus.FAILED, JobStatus.CANCELLED)


# ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def own(everybodys: bool) -> Any:
    """The condition on the jobs that a viewer may see: his own, or `everybodys`."""
    if everybodys:
        return true()
    return and_(
        col(_JOB.actor_kind) == bindparam("seen_kind", type_=Code), col(_JOB.actor_id) == bindparam("seen_actor")
    )


_BY_IDS = {
    everybodys: prepared(select(_JOB).where(here(_JOB), among(_JOB.id, "ids"), own(everybodys)))
    for everybodys in (True, False)
}
_LOCKED = prepared(select(_JOB).where(here(_JOB), col(_JOB.id) == bindparam("job_id")).with_for_update(key_share=True))
_UNDONE_BY = prepared(
    select(_JOB)
    .where(
        here(_JOB),
        among(_JOB.undo_of, "ids"),
        col(_JOB.dry_run).is_(False),
        col(_JOB.status) != JobStatus.FAILED.value,
    )
    .order_by(col(_JOB.id))
)


async def by_ids(
    session: Session, ids: Sequence[bytes], everybodys: bool, kind: ActorKind, actor_id: bytes
) -> Mapping[bytes, tables.Job]:
    """The jobs of that actor, or everybody's, under their ids."""
    rows = await session.rows(_BY_IDS[everybodys], ids=ids, seen_kind=int(kind), seen_actor=actor_id)
    return {row.id: row for row in rows}


async def any_by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Job]:
    """Whoever began them."""
    return {row.id: row for row in await session.rows(_BY_IDS[True], ids=ids)}


async def locked(work: Work, job_id: bytes) -> Any:
    """Nobody else changes it until the transaction ends; None where there is none."""
    return await work.first(_LOCKED, job_id=job_id)


async def undone_by(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Job]:
    """The job that undid each, or is about to."""
    return {row.undo_of: row for row in reversed(await session.rows(_UNDONE_BY, ids=ids)) if row.undo_of}


def listing(everybodys: bool, kind: ActorKind, actor_id: bytes, statuses: Sequence[int] | None) -> Listing:
    """The jobs of that actor, or everybody's, newest first."""

    def build(dialect: str) -> Select[Any]:
        found = select(_JOB).where(here(_JOB), own(everybodys))
        return found if statuses is None else found.where(among(_JOB.status, "statuses"))

    values = {"seen_kind": int(kind), "seen_actor": actor_id, "statuses": statuses}
    return Listing(("jobs", everybodys, statuses is None), build, _JOB, True, values)


# ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_OPEN = prepared(
    select(col(_JOB.workspace_id), col(_JOB.id))
    .where(
        col(_JOB.finished_at).is_(None),
        or_(col(_JOB.leased_until).is_(None), col(_JOB.leased_until) < bindparam("now", type_=Moment)),
    )
    .order_by(col(_JOB.id))
    .limit(AT_ONCE)
)
_CLAIM = prepared(
    update(_JOB)
    .where(
        here(_JOB),
        col(_JOB.id) == bindparam("job_id"),
        col(_JOB.finished_at).is_(None),
        or_(col(_JOB.leased_until).is_(None), col(_JOB.leased_until) < bindparam("now", type_=Moment)),
    )
    .values(leased_by=bindparam("worker"), leased_until=bindparam("until", type_=Moment))
)
_CANCEL = prepared(
    update(_JOB)
    .where(here(_JOB), col(_JOB.id) == bindparam("job_id"), col(_JOB.finished_at).is_(None))
    .values(status=JobStatus.CANCELLING.value)
)
_RELEASE = prepared(
    update(_JOB)
    .where(here(_JOB), col(_JOB.id) == bindparam("job_id"), col(_JOB.leased_by) == bindparam("worker"))
    .values(leased_by=None, leased_until=bindparam("until", type_=Moment))
)


async def open_jobs(session: Session, now: int) -> list[Any]:
    """(workspace_id, id) of jobs that wait for a worker, the oldest first, of all workspaces."""
    return await session.rows(_OPEN, now=now)


async def claim(work: Work, job_id: bytes, worker: str, *, now: int, until: int) -> bool:
    """Whether the job is the worker's now. Of several who try at once, one gets it."""
    return await work.execute(_CLAIM, job_id=job_id, worker=worker, now=now, until=until) > 0


async def let_go(work: Work, job_id: bytes, worker: str, *, until: int | None) -> None:
    """The worker's lease ends; the job waits for the next one, not before `until`."""
    await work.execute(_RELEASE, job_id=job_id, worker=worker, until=until)


async def cancel(work: Work, job_id: bytes) -> bool:
    """Whether it had not ended."""
    return await work.execute(_CANCEL, job_id=job_id) > 0


async def keep(work: Work, job_id: bytes, worker: str, status: int, changed: Mapping[str, Any]) -> bool:
    """Writes how far the job is; False where it is not the worker's any more, or not in that status."""
    return await work.execute(_keep(tuple(changed)), job_id=job_id, worker=worker, seen_status=status, **{
        f"to_{name}": value for name, value in changed.items()
    }) > 0  # fmt: skip


@cache
def _keep(names: tuple[str, ...]) -> Prepared[Any]:
    return prepared(
        update(_JOB)
        .where(
            here(_JOB),
            col(_JOB.id) == bindparam("job_id"),
            col(_JOB.leased_by) == bindparam("worker"),
            col(_JOB.status) == bindparam("seen_status", type_=Code),
        )
        .values({name: bindparam(f"to_{name}") for name in names})
    )


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_NEXT = prepared(
    select(_TARGET)
    .where(here(_TARGET), col(_TARGET.job_id) == bindparam("job_id"), col(_TARGET.row) > bindparam("after"))
    .order_by(col(_TARGET.row))
    .limit(bindparam("size"))
)


async def first_ids(session: Session, match: Listing, sort: Sort, size: int) -> list[bytes]:
    """The ids of the first customers of a list."""
    return [row.id for row in await session.rows(_first(Kept(match), sort.shape, size), **match.values, **sort.bound)]


@lru_cache(maxsize=200)
def _first(kept: Kept, sort: tuple[Any, ...], size: int) -> Prepared[Any]:
    return Built(lambda dialect: _ids(kept, dialect, sort).limit(literal_column(str(size))))


def _ids(kept: Kept, dialect: str, sort: tuple[Any, ...]) -> Select[Any]:
    found = ordered(kept.listing, dialect, sort, wanted=False)
    return found.with_only_columns(kept.listing.row.id.label("id"), maintain_column_froms=True)


async def snapshot(work: Work, job_id: bytes, match: Listing, sort: Sort, start: int) -> int:
    """Keeps the customers of a list as the job's target, from row `start` on; returns how many there are."""
    statement = _snapshot(Kept(match), sort.shape)
    return await work.execute(statement, target_job=job_id, start=start, **match.values, **sort.bound)


@lru_cache(maxsize=200)
def _snapshot(kept: Kept, sort: tuple[Any, ...]) -> Prepared[Any]:
    def build(dialect: str) -> Any:
        inner = _ids(kept, dialect, sort).subquery("found")
        number = func.row_number().over() + bindparam("start", type_=BigInteger())
        rows = select(
            WORKSPACE.label("workspace_id"),
            bindparam("target_job", type_=LargeBinary()).label("job_id"),
            number.label("row"),
            inner.c.id.label("node_id"),
        )
        return insert(_TARGET).from_select(["workspace_id", "job_id", "row", "node_id"], rows)

    return Built(build)


async def targets(session: Session, job_id: bytes, after: int, size: int) -> list[Any]:
    """The next customers to work on: `row` and `node_id`."""
    return await session.rows(_NEXT, job_id=job_id, after=after, size=size)


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_SKIP_REST = prepared(
    insert(_ROW).from_select(
        ["workspace_id", "job_id", "row", "node_id", "outcome"],
        select(
            col(_TARGET.workspace_id),
            col(_TARGET.job_id),
            col(_TARGET.row),
            col(_TARGET.node_id),
            bindparam("skipped", type_=Code).label("outcome"),
        ).where(here(_TARGET), col(_TARGET.job_id) == bindparam("job_id"), col(_TARGET.row) != bindparam("failed")),
    )
)


async def skip_rest(work: Work, job_id: bytes, failed: int) -> int:
    """Of the job's target every row but that one is told as skipped."""
    return await work.execute(_SKIP_REST, job_id=job_id, failed=failed, skipped=int(Outcome.SKIPPED))


async def logged(session: Session, job_id: bytes, after: int, size: int, actions: Sequence[int] | None) -> list[Any]:
    """The next rows that the log of changes tells."""
    return await session.rows(_logged(actions is None), job_id=job_id, after=after, size=size, actions=actions)


@cache
def _logged(every: bool) -> Prepared[Any]:
    found = select(_CHANGE).where(
        here(_CHANGE), col(_CHANGE.job_id) == bindparam("job_id"), col(_CHANGE.row) > bindparam("after")
    )
    if not every:
        found = found.where(among(_CHANGE.action, "actions"))
    return prepared(found.order_by(col(_CHANGE.row)).limit(bindparam("size")))


async def apart(session: Session, job_id: bytes, after: int, size: int, outcomes: Sequence[int] | None) -> list[Any]:
    """The next rows that are kept apart: skipped, failed, unchanged, and all of a dry run."""
    return await session.rows(_apart(outcomes is None), job_id=job_id, after=after, size=size, outcomes=outcomes)


@cache
def _apart(every: bool) -> Prepared[Any]:
    found = select(_ROW).where(here(_ROW), col(_ROW.job_id) == bindparam("job_id"), col(_ROW.row) > bindparam("after"))
    if not every:
        found = found.where(among(_ROW.outcome, "outcomes"))
    return prepared(found.order_by(col(_ROW.row)).limit(bindparam("size")))


_FAILED_TARGET = prepared(
    insert(_TARGET).from_select(
        ["workspace_id", "job_id", "row", "node_id"],
        select(
            col(_ROW.workspace_id),
            bindparam("target_job", type_=LargeBinary()).label("job_id"),
            col(_ROW.row),
            func.coalesce(col(_ROW.node_id), bindparam("none", type_=LargeBinary())).label("node_id"),
        ).where(
            here(_ROW),
            col(_ROW.job_id) == bindparam("earlier"),
            col(_ROW.outcome) == bindparam("failed", type_=Code),
        ),
    )
)
_LAST = (
    select(col(_CHANGE.node_id), func.max(col(_CHANGE.seq)).label("seq"))
    .where(here(_CHANGE), col(_CHANGE.job_id) == bindparam("earlier"), among(_CHANGE.entity, "entities"))
    .group_by(col(_CHANGE.node_id))
    .subquery("last")
)
_LOGGED_TARGET = prepared(
    insert(_TARGET).from_select(
        ["workspace_id", "job_id", "row", "node_id"],
        select(
            WORKSPACE.label("workspace_id"),
            bindparam("target_job", type_=LargeBinary()).label("job_id"),
            (func.row_number().over(order_by=_LAST.c.seq) + bindparam("start", type_=BigInteger())).label("row"),
            _LAST.c.node_id,
        ),
    )
)


async def failed_again(work: Work, job_id: bytes, earlier: bytes) -> int:
    """Makes the failed rows of an earlier job the target of this one, under their numbers."""
    return await work.execute(_FAILED_TARGET, target_job=job_id, earlier=earlier, failed=int(Outcome.FAILED), none=b"")


async def logged_again(work: Work, job_id: bytes, earlier: bytes, entities: Sequence[str]) -> int:
    """Makes what an earlier job changed, of these types, the target of this one: each record once, in the order in
    which it was last changed."""
    return await work.execute(_LOGGED_TARGET, target_job=job_id, earlier=earlier, entities=entities, start=-1)


_OF_NODES = prepared(
    select(_CHANGE)
    .where(here(_CHANGE), col(_CHANGE.job_id) == bindparam("job_id"), among(_CHANGE.node_id, "ids"))
    .order_by(col(_CHANGE.seq))
)


async def changes_of(session: Session, job_id: bytes, ids: Sequence[bytes]) -> Mapping[bytes, list[Any]]:
    """What the job did to each of these records, in order."""
    return grouped(await session.rows(_OF_NODES, job_id=job_id, ids=ids), "node_id")
