"""Rows to be inserted or changed. They read like rows of a query."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlmodel import SQLModel

from db.values import ids


class Row:
    """A row of `table` with its columns as plain attributes. `vars(row)` contains exactly the columns."""

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
    """A new row with the table's defaults. If the table has an id, the row gets a new id and its creation time."""
    values = {**_defaults(table), **columns}
    if "id" in _names(table):
        identifier = values.get("id") or ids.new_id()
        values["id"] = identifier
        for moment in ("created_at", "updated_at"):
            if moment in _names(table) and values.get(moment) is None:
                values[moment] = ids.id_time(identifier)
    return Row(table, values)


def copy_row(row: Any, table: type[SQLModel]) -> Row:
    """A changeable copy of a row."""
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
