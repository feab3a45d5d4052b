"""Where a row's refusals stand: in a column of the file, or in what was asked for every row."""

from collections.abc import Iterable
from typing import Final

from crm.catalogue.file_columns import CUSTOM_FIELD_PREFIX, EXTERNAL_ID_PREFIX
from crm.errors import InputError, Path
from crm.importing.mapping import ImportRow

ADDED_TAGS_PATH: Final = ("input", "addTags")
"""The tags that are put on every customer."""


def error_path(row: ImportRow, refusals: Iterable[InputError]) -> None:
    """Gives each refusal of the row's customer the key of the column that it is about, and the number of the value
    where the column holds several."""
    for refused in refusals:
        refused.path = tuple(map(str, _path(row, refused.path)))


def _path(row: ImportRow, path: tuple[str, ...]) -> Path:
    match path:
        case ("tags",) if row.tagged and not row.tags:
            return ADDED_TAGS_PATH
        case ("tags", "add", number, *_):
            return row.tagged[int(number)]
        case ("customFields", number, *_):
            return (CUSTOM_FIELD_PREFIX + row.data["custom_fields"][int(number)]["key"],)
        case ("externalIds", number, *_):
            return (EXTERNAL_ID_PREFIX + row.data["external_ids"][int(number)]["system"],)
        case ("by", *_):
            return ()
    return path
