"""Paths of a row's errors: a column of the file, or an input that applies to all rows."""

from collections.abc import Iterable
from typing import Final

from crm.catalogue.file_columns import CUSTOM_FIELD_PREFIX, EXTERNAL_ID_PREFIX
from crm.errors import InputError, Path
from crm.importing.mapping import ImportRow

ADDED_TAGS_PATH: Final = ("input", "addTags")
"""The path of the tags that every customer gets."""


def error_path(row: ImportRow, errors: Iterable[InputError]) -> None:
    """Replaces the path of each error by the key of its column, and the index of the value if the column holds
    several."""
    for error in errors:
        error.path = tuple(map(str, _column_path(row, error.path)))


def _column_path(row: ImportRow, path: tuple[str, ...]) -> Path:
    match path:
        case ("tags",) if row.tagged and not row.tags:
            return ADDED_TAGS_PATH
        case ("tags", "add", index, *_):
            return row.tagged[int(index)]
        case ("customFields", index, *_):
            return (CUSTOM_FIELD_PREFIX + row.data["custom_fields"][int(index)]["key"],)
        case ("externalIds", index, *_):
            return (EXTERNAL_ID_PREFIX + row.data["external_ids"][int(index)]["system"],)
        case ("by", *_):
            return ()
    return path
