"""What jobs work on: the customers of a list, or the rows of an earlier job, kept under numbers."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Select, bindparam, delete, func, insert, literal_column, select
from sqlmodel import col

from db import tables
from db.engine import Session, Work
from db.paging.keyset import Kept, Listing, ordered
from db.paging.sorting import Sort
from db.statements import WORKSPACE, Built, Prepared, among, here, prepared
from db.tables.column_types import Code
from db.tables.enums import Outcome

_TARGET, _ROW, _CHANGE = tables.JobTarget, tables.JobRow, tables.Change

Statement = tuple[Prepared[Any], dict[str, Any]]
"""A question and the values that are bound to it."""

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


def finding(match: Listing, sort: Sort) -> Statement:
    """How all customers of a list are found, in its order."""
    return _all(Kept(match), sort.shape), {**match.values, **sort.bound}


@lru_cache(maxsize=200)
def _all(kept: Kept, sort: tuple[Any, ...]) -> Prepared[Any]:
    return Built(lambda dialect: _ids(kept, dialect, sort))


_FORGET_TARGETS = prepared(
    delete(_TARGET).where(
        here(_TARGET), col(_TARGET.job_id) == bindparam("job_id"), col(_TARGET.row) < bindparam("below")
    )
)
_HIGHEST = prepared(
    select(func.max(col(_TARGET.row)).label("row")).where(here(_TARGET), col(_TARGET.job_id) == bindparam("job_id"))
)


async def highest(session: Session, job_id: bytes) -> int:
    """The number of the last row that the job's target has; -1 where it has none."""
    found = (await session.rows(_HIGHEST, job_id=job_id))[0].row
    return -1 if found is None else int(found)


async def forget(work: Work, job_id: bytes, below: int) -> None:
    """Removes the rows of the job's target with lower numbers."""
    await work.execute(_FORGET_TARGETS, job_id=job_id, below=below)


async def add(work: Work, job_id: bytes, rows: Iterable[tuple[int, bytes]]) -> None:
    """Adds rows, (number, id), to the job's target."""
    columns = ("workspace_id", "job_id", "row", "node_id")
    await work.copy(_TARGET, columns, [(work.workspace_id, job_id, row, node_id) for row, node_id in rows])


async def following(session: Session, job_id: bytes, after: int, size: int) -> list[Any]:
    """The next customers to work on: `row` and `node_id`."""
    return await session.rows(_NEXT, job_id=job_id, after=after, size=size)


# ── rows of earlier jobs ──────────────────────────────────────────────────────────────────────────────────────────────

_FAILED = prepared(
    select(
        col(_ROW.row),
        func.coalesce(col(_ROW.node_id), bindparam("none", type_=LargeBinary())).label("id"),
    )
    .where(here(_ROW), col(_ROW.job_id) == bindparam("earlier"), col(_ROW.outcome) == bindparam("failed", type_=Code))
    .order_by(col(_ROW.row))
)
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
_LOGGED = prepared(select(_LAST.c.node_id.label("id")).order_by(_LAST.c.seq))
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


def finding_failed(earlier: bytes) -> Statement:
    """How the failed rows of an earlier job are found, with their numbers."""
    return _FAILED, {"earlier": earlier, "failed": int(Outcome.FAILED), "none": b""}


def finding_logged(earlier: bytes, entities: Sequence[str]) -> Statement:
    """How what an earlier job changed is found, each record once, in the order in which it was last changed."""
    return _LOGGED, {"earlier": earlier, "entities": list(entities)}
