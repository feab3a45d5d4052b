"""Writes of many rows of one table: rows with the same changed columns share one statement.

PostgreSQL gets one array per column and joins them, because each execution of a statement costs as much as a row.
SQLite runs in the same process, so it executes a single-row statement repeatedly.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Table, and_, bindparam, delete, func, update
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlmodel import SQLModel

from db import tables
from db.engine import Transaction
from db.statements import PreparedStatement, any_of, in_workspace, prepare
from db.tables import key_columns

Columns = Mapping[str, Any]


async def update_rows(
    transaction: Transaction, table: type[SQLModel], changes: Iterable[tuple[bytes, Columns]]
) -> None:
    """Sets the given columns of the rows with these ids."""
    await update_rows_by(transaction, table, "id", changes)


async def update_rows_by(
    transaction: Transaction, table: type[SQLModel], key: str, changes: Iterable[tuple[bytes, Columns]]
) -> None:
    """Like `update_rows` for a table whose rows are found by another column, `key`. The rows are sorted by that key,
    because SQLite's full-text index starts a new segment for every row that precedes the one before it."""
    alike: dict[tuple[str, ...], list[tuple[bytes, Columns]]] = {}
    for identifier, changed in changes:
        if changed:
            alike.setdefault(tuple(changed), []).append((identifier, changed))
    for names, many in alike.items():
        many.sort(key=_first)
        await _set(transaction, table, key, names, [(identifier, *changed.values()) for identifier, changed in many])


async def _set(
    transaction: Transaction, table: Any, key: str, names: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> None:
    """`rows` contain the key and the values of `names`, in order."""
    columns, completed = key_columns.complete_records(table, ("", *names), rows)
    names, rows = tuple(columns[1:]), list(completed)
    bound = ("row_id", *(f"to_{name}" for name in names))
    if len(rows) > 1 and transaction.dialect.name == "postgresql":
        lists: dict[str, Any] = dict(zip(bound, map(list, zip(*rows, strict=True)), strict=True))
        await transaction.execute(_set_together(table, key, names), **lists)
    else:
        await transaction.execute_many(
            _set_each(table, key, names), [dict(zip(bound, row, strict=True)) for row in rows]
        )


async def delete_rows(transaction: Transaction, table: type[SQLModel], keys: Sequence[Columns]) -> None:
    """Deletes the rows that match one of `keys`. All keys name the same columns."""
    if not keys:
        return
    names = tuple(sorted(keys[0]))
    if len(keys) > 1 and transaction.dialect.name == "postgresql":
        lists = {f"of_{name}": [one[name] for one in keys] for name in names}
        await transaction.execute(_remove_together(table, names), **lists)
    else:
        await transaction.execute_many(_remove_each(table, names), list(keys))


async def delete_where_in(transaction: Transaction, table: type[SQLModel], column: str, ids: Sequence[bytes]) -> int:
    """Deletes the rows with one of the ids in the column. Returns the number of deleted rows."""
    return await transaction.execute(_clear(table, column), ids=ids) if ids else 0


def _first(row: tuple[bytes, Columns]) -> bytes:
    return row[0]


def _described(table: Any) -> Table:
    return tables.metadata.tables[str(table.__tablename__)]


def _given(table: Any, columns: Mapping[str, str]) -> TableValuedAlias:
    """The arrays bound to these names, joined as rows of a table."""
    kinds = {name: _described(table).columns[column].type for name, column in columns.items()}
    lists = [bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items()]
    return func.unnest(*lists).table_valued(*kinds).render_derived(name="given")


@cache
def _set_each(table: Any, key: str, names: tuple[str, ...]) -> PreparedStatement[Any]:
    return prepare(
        update(table)
        .where(in_workspace(table), getattr(table, key) == bindparam("row_id"))
        .values({name: bindparam(f"to_{name}") for name in names})
    )


@cache
def _set_together(table: Any, key: str, names: tuple[str, ...]) -> PreparedStatement[Any]:
    given = _given(table, {"row_id": key, **{f"to_{name}": name for name in names}})
    return prepare(
        update(table)
        .where(in_workspace(table), getattr(table, key) == given.c.row_id)
        .values({name: given.c[f"to_{name}"] for name in names})
    )


@cache
def _remove_each(table: Any, names: tuple[str, ...]) -> PreparedStatement[Any]:
    return prepare(
        delete(table).where(in_workspace(table), *(getattr(table, name) == bindparam(name) for name in names))
    )


@cache
def _remove_together(table: Any, names: tuple[str, ...]) -> PreparedStatement[Any]:
    given = _given(table, {f"of_{name}": name for name in names})
    return prepare(
        delete(table).where(
            in_workspace(table), and_(*(getattr(table, name) == given.c[f"of_{name}"] for name in names))
        )
    )


@cache
def _clear(table: Any, column: str) -> PreparedStatement[Any]:
    return prepare(delete(table).where(in_workspace(table), any_of(getattr(table, column), "ids")))
