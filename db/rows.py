"""Rows that are being made or changed; they read like rows that were read."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlmodel import SQLModel

from db.values import ids


class Row:
    """A row of `table` whose columns are plain attributes. `vars(row)` has them all and nothing else."""

    __slots__ = ("__dict__", "table")

    table: type[SQLModel]

    def __init__(self, table: type[SQLModel], columns: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        self.table = table
        self.__dict__.update(columns)

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.table.__name__} has no column {name!r}")


def new_row(table: type[SQLModel], **columns: Any) -> Row:
    """A new row with the table's defaults; with an id of its own where the table has one, made at the id's moment."""
    values = {**_defaults(table), **columns}
    if "id" in _names(table):
        identifier = values.get("id") or ids.new_id()
        values["id"] = identifier
        for moment in ("created_at", "updated_at"):
            if moment in _names(table) and values.get(moment) is None:
                values[moment] = ids.id_time(identifier)
    return Row(table, values)


def copy_row(row: Any, table: type[SQLModel]) -> Row:
    """The same columns as a row that can be changed."""
    names = _names(table)
    if getattr(row, "__columns__", None) == names:
        return Row(table, zip(names, row, strict=True))
    return Row(table, {name: getattr(row, name) for name in names})


@cache
def _names(table: type[SQLModel]) -> tuple[str, ...]:
    return tuple(SQLModel.metadata.tables[str(table.__tablename__)].columns.keys())


@cache
def _defaults(table: type[SQLModel]) -> Mapping[str, Any]:
    fields = table.model_fields
    return {
        name: None if name not in fields or fields[name].is_required() else fields[name].get_default()
        for name in _names(table)
    }
