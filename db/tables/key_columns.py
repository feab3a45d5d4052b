"""Columns ending in `_key` contain another column's text, folded. They are filled on every write."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlmodel import SQLModel

from db.values.folding import email_key, fold

MAX_TEXT_KEY_LENGTH = 200
"""Characters of a custom value's `text_key`: the limit of an index entry."""

# Folded and truncated by the code that writes custom values.
_APART = frozenset({"text_key"})

_folded = lru_cache(maxsize=10_000)(fold)
_OTHERWISE: dict[str, Callable[[str], str]] = {
    "email_key": email_key,
    "text_key": lambda text: _folded(text)[:MAX_TEXT_KEY_LENGTH],
}


@cache
def key_sources(table: type[SQLModel]) -> tuple[tuple[str, str], ...]:
    """Each key column with its source column: ("city_key", "city")."""
    columns = SQLModel.metadata.tables[str(table.__tablename__)].columns
    keys = [one.name for one in columns if one.name.endswith("_key") and one.name not in _APART]
    return tuple((key, key.removesuffix("_key")) for key in keys if key.removesuffix("_key") in columns)


def fill_keys(table: type[SQLModel], columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to write, plus the key of each text whose key is missing."""
    values = dict(columns)
    if values.get("option") is not None and values.get("text_key") is None:
        # The options of a custom field sort like text.
        values["text_key"] = key_of("text_key", values["option"])
    for key, source in key_sources(table):
        if source in values and values.get(key) is None:
            values[key] = key_of(key, values[source])
    return values


def complete_records(
    table: type[SQLModel], columns: Sequence[str], records: Iterable[Sequence[Any]]
) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """Like `fill_keys` for COPY: the columns and records, plus the missing keys."""
    missing = [
        (key, columns.index(source)) for key, source in key_sources(table) if source in columns and key not in columns
    ]
    if not missing:
        return columns, records
    return (
        [*columns, *(key for key, _ in missing)],
        ((*record, *[key_of(key, record[place]) for key, place in missing]) for record in records),
    )


def record_filler(table: type[SQLModel], columns: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Returns a function that fills the keys of one record; None if the table has no keys."""
    wanted = [(columns.index(key), columns.index(source), key) for key, source in key_sources(table)]
    if "option" in columns:
        wanted.append((columns.index("text_key"), columns.index("option"), "text_key"))

    def fill(record: Sequence[Any]) -> Sequence[Any]:
        for place, source, key in wanted:
            if record[place] is None and record[source] is not None:
                whole = list(record)
                whole[place] = key_of(key, record[source])
                record = whole
        return record

    return fill if wanted else None


def key_of(key: str, text: str | None) -> str | None:
    return None if text is None else _OTHERWISE.get(key, _folded)(text)
