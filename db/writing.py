"""Writing many rows of one table at once: rows that change alike share one statement."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlmodel import SQLModel

from db.engine import Work
from db.reading import Prepared, among, here, prepared
from db.tables import keys

Columns = Mapping[str, Any]


async def change(work: Work, table: type[SQLModel], changes: Iterable[tuple[bytes, Columns]]) -> None:
    """Sets the columns given with each id, in the rows of those ids."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for identifier, changed in changes:
        if changed:
            columns = keys.filled(table, changed)
            bound = {f"to_{name}": value for name, value in columns.items()}
            alike.setdefault(tuple(sorted(columns)), []).append({**bound, "row_id": identifier})
    for names, many in alike.items():
        await work.execute_many(_change(table, "id", names), many)


async def change_of(work: Work, table: type[SQLModel], key: str, changes: Iterable[tuple[bytes, Columns]]) -> None:
    """The same for a table whose rows are found by another column, `key`."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for identifier, changed in changes:
        columns = keys.filled(table, changed)
        bound = {f"to_{name}": value for name, value in columns.items()}
        alike.setdefault(tuple(sorted(columns)), []).append({**bound, "row_id": identifier})
    for names, many in alike.items():
        await work.execute_many(_change(table, key, names), many)


async def remove(work: Work, table: type[SQLModel], keys: Sequence[Columns]) -> None:
    """Deletes the rows whose columns are as given; every one of `keys` names the same columns."""
    if keys:
        await work.execute_many(_remove(table, tuple(sorted(keys[0]))), list(keys))


async def clear(work: Work, table: type[SQLModel], column: str, ids: Sequence[bytes]) -> int:
    """Deletes the rows that have one of the ids in that column; returns how many there were."""
    return await work.execute(_clear(table, column), ids=ids) if ids else 0


@cache
def _change(table: Any, key: str, names: tuple[str, ...]) -> Prepared[Any]:
    return prepared(
        update(table)
        .where(here(table), getattr(table, key) == bindparam("row_id"))
        .values({name: bindparam(f"to_{name}") for name in names})
    )


@cache
def _remove(table: Any, names: tuple[str, ...]) -> Prepared[Any]:
    return prepared(delete(table).where(here(table), *(getattr(table, name) == bindparam(name) for name in names)))


@cache
def _clear(table: Any, column: str) -> Prepared[Any]:
    return prepared(delete(table).where(here(table), among(getattr(table, column), "ids")))
