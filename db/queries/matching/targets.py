"""Targets of jobs: the customers of a list or the rows of an earlier job, stored with row numbers."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Select, bindparam, delete, func, insert, literal_column, select
from sqlmodel import col

from db import tables
from db.engine import Session, Transaction
from db.paging.keyset import ListQuery, ListQueryKey, ordered_select
from db.paging.sorting import Sort
from db.statements import WORKSPACE, DialectStatement, PreparedStatement, any_of, in_workspace, prepare
from db.tables.column_types import Code
from db.tables.enums import Outcome

_TARGET, _ROW, _CHANGE = tables.JobTarget, tables.JobRow, tables.Change

BoundStatement = tuple[PreparedStatement[Any], dict[str, Any]]
"""A statement with its bound values."""

_NEXT = prepare(
    select(_TARGET)
    .where(in_workspace(_TARGET), col(_TARGET.job_id) == bindparam("job_id"), col(_TARGET.row) > bindparam("after"))
    .order_by(col(_TARGET.row))
    .limit(bindparam("size"))
)


async def first_ids(session: Session, match: ListQuery, sort: Sort, size: int) -> list[bytes]:
    """The ids of the first customers of a list."""
    return [
        row.id
        for row in await session.fetch_all(
            _first(ListQueryKey(match), sort.cache_key, size), **match.parameters, **sort.parameters
        )
    ]


@lru_cache(maxsize=200)
def _first(kept: ListQueryKey, sort: tuple[Any, ...], size: int) -> PreparedStatement[Any]:
    return DialectStatement(lambda dialect: _ids(kept, dialect, sort).limit(literal_column(str(size))))


def _ids(kept: ListQueryKey, dialect: str, sort: tuple[Any, ...]) -> Select[Any]:
    found = ordered_select(kept.listing, dialect, sort, wanted=False)
    return found.with_only_columns(kept.listing.row.id.label("id"), maintain_column_froms=True)


async def store_matches(transaction: Transaction, job_id: bytes, match: ListQuery, sort: Sort, start: int) -> int:
    """Stores the customers of a list as the job's target, after row `start`. Returns their number."""
    statement = _snapshot(ListQueryKey(match), sort.cache_key)
    return await transaction.execute(statement, target_job=job_id, start=start, **match.parameters, **sort.parameters)


@lru_cache(maxsize=200)
def _snapshot(kept: ListQueryKey, sort: tuple[Any, ...]) -> PreparedStatement[Any]:
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

    return DialectStatement(build)


def match_statement(match: ListQuery, sort: Sort) -> BoundStatement:
    """The statement that finds all customers of a list in order."""
    return _all(ListQueryKey(match), sort.cache_key), {**match.parameters, **sort.parameters}


@lru_cache(maxsize=200)
def _all(kept: ListQueryKey, sort: tuple[Any, ...]) -> PreparedStatement[Any]:
    return DialectStatement(lambda dialect: _ids(kept, dialect, sort))


_FORGET_TARGETS = prepare(
    delete(_TARGET).where(
        in_workspace(_TARGET), col(_TARGET.job_id) == bindparam("job_id"), col(_TARGET.row) < bindparam("below")
    )
)
_HIGHEST = prepare(
    select(func.max(col(_TARGET.row)).label("row")).where(
        in_workspace(_TARGET), col(_TARGET.job_id) == bindparam("job_id")
    )
)


async def highest_row(session: Session, job_id: bytes) -> int:
    """The number of the last row of the job's target; -1 if it is empty."""
    found = (await session.fetch_all(_HIGHEST, job_id=job_id))[0].row
    return -1 if found is None else int(found)


async def delete_rows_below(transaction: Transaction, job_id: bytes, below: int) -> None:
    """Deletes the rows of the job's target with lower numbers."""
    await transaction.execute(_FORGET_TARGETS, job_id=job_id, below=below)


async def insert_rows(transaction: Transaction, job_id: bytes, rows: Iterable[tuple[int, bytes]]) -> None:
    """Adds rows (number, id) to the job's target."""
    columns = ("workspace_id", "job_id", "row", "node_id")
    await transaction.copy(
        _TARGET, columns, [(transaction.workspace_id, job_id, row, node_id) for row, node_id in rows]
    )


async def next_rows(session: Session, job_id: bytes, after: int, size: int) -> list[Any]:
    """The next rows of the target: `row` and `node_id`."""
    return await session.fetch_all(_NEXT, job_id=job_id, after=after, size=size)


# ── rows of earlier jobs ──────────────────────────────────────────────────────────────────────────────────────────────

_FAILED = prepare(
    select(
        col(_ROW.row),
        func.coalesce(col(_ROW.node_id), bindparam("none", type_=LargeBinary())).label("id"),
    )
    .where(
        in_workspace(_ROW),
        col(_ROW.job_id) == bindparam("earlier"),
        col(_ROW.outcome) == bindparam("failed", type_=Code),
    )
    .order_by(col(_ROW.row))
)
_FAILED_TARGET = prepare(
    insert(_TARGET).from_select(
        ["workspace_id", "job_id", "row", "node_id"],
        select(
            col(_ROW.workspace_id),
            bindparam("target_job", type_=LargeBinary()).label("job_id"),
            col(_ROW.row),
            func.coalesce(col(_ROW.node_id), bindparam("none", type_=LargeBinary())).label("node_id"),
        ).where(
            in_workspace(_ROW),
            col(_ROW.job_id) == bindparam("earlier"),
            col(_ROW.outcome) == bindparam("failed", type_=Code),
        ),
    )
)
_LAST = (
    select(col(_CHANGE.node_id), func.max(col(_CHANGE.seq)).label("seq"))
    .where(in_workspace(_CHANGE), col(_CHANGE.job_id) == bindparam("earlier"), any_of(_CHANGE.entity, "entities"))
    .group_by(col(_CHANGE.node_id))
    .subquery("last")
)
_LOGGED = prepare(select(_LAST.c.node_id.label("id")).order_by(_LAST.c.seq))
_LOGGED_TARGET = prepare(
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


async def store_failed_rows(transaction: Transaction, job_id: bytes, earlier: bytes) -> int:
    """Stores the failed rows of an earlier job as the target of this one, with their numbers."""
    return await transaction.execute(
        _FAILED_TARGET, target_job=job_id, earlier=earlier, failed=int(Outcome.FAILED), none=b""
    )


async def store_changed_rows(transaction: Transaction, job_id: bytes, earlier: bytes, entities: Sequence[str]) -> int:
    """Stores the records of these types that an earlier job changed as the target of this one: each once, in the order
    of its last change."""
    return await transaction.execute(_LOGGED_TARGET, target_job=job_id, earlier=earlier, entities=entities, start=-1)


def failed_rows_statement(earlier: bytes) -> BoundStatement:
    """The statement that finds the failed rows of an earlier job with their numbers."""
    return _FAILED, {"earlier": earlier, "failed": int(Outcome.FAILED), "none": b""}


def changed_rows_statement(earlier: bytes, entities: Sequence[str]) -> BoundStatement:
    """The statement that finds the records that an earlier job changed: each once, in the order of its last change."""
    return _LOGGED, {"earlier": earlier, "entities": list(entities)}
