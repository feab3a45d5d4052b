"""Maps a violated unique constraint to its columns, by its name or its column list."""

from functools import cache

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint

from db import tables
from db.errors import UniqueViolation


@cache
def _by_name() -> dict[str, UniqueViolation]:
    found = {}
    for table in tables.metadata.tables.values():
        unique = [one for one in table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)]
        keys: list[Index | PrimaryKeyConstraint | UniqueConstraint] = [
            *unique,
            *(index for index in table.indexes if index.unique),
        ]
        for key in keys:
            columns = tuple(column.name for column in key.columns if column.name != "workspace_id")
            found[str(key.name)] = UniqueViolation(table.name, columns)
    return found


def unique_violation(name: str) -> UniqueViolation:
    """The UniqueViolation for the constraint of that name."""
    known = _by_name()[name]
    return UniqueViolation(known.table, known.columns)
