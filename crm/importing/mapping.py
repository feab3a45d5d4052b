"""Which column of a file fills which field, and what a row asks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from crm.catalogue.file_columns import CUSTOM_FIELD_PREFIX, FileColumn, find_column
from crm.errors import ErrorCode, InputError, Path
from crm.files import cells as joined
from crm.importing import cells, headers
from crm.importing.cells import CellError, CellFormat
from crm.validation import ErrorCollector

IGNORED_COLUMN: Final = "_error"
"""The column that a file of failed rows tells the reasons in."""


@dataclass(slots=True)
class ImportRow:
    """What a row asks for, and what cannot be read of it. `given` is a customer's input as far as it stands by itself;
    companies are named by their names here, tags too, and ids in other systems are apart."""

    number: int
    data: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    company: str | None = None
    tags: list[str] = field(default_factory=list)
    systems: dict[str, list[str]] = field(default_factory=dict)
    tagged: list[Path] = field(default_factory=list)
    """Where each of the tags that it puts on was asked for."""
    errors: list[InputError] = field(default_factory=list)


@dataclass(frozen=True)
class FieldMapping:
    """The fields of a file's columns, by the columns' places."""

    width: int
    fields: Mapping[int, FileColumn]
    format: CellFormat

    @property
    def names(self) -> list[str]:
        """The keys of the fields."""
        return [one.key for one in self.fields.values()]

    def read(self, number: int, found: Sequence[str]) -> ImportRow:
        """What the row asks for. A blank cell asks for nothing."""
        row = ImportRow(number)
        if len(found) > self.width and any(cell.strip() for cell in found[self.width :]):
            message = f"The row has {len(found)} cells and the header {self.width}: check its separators and quotes."
            row.errors.append(InputError(ErrorCode.INVALID, message))
            return row
        for place, read in self._reads:
            text = found[place].strip() if place < len(found) else ""
            if text:
                try:
                    read(row, text)
                except CellError as wrong:
                    row.errors.append(InputError(ErrorCode.INVALID, str(wrong), (self.fields[place].key,)))
        return row

    @cached_property
    def _reads(self) -> Sequence[tuple[int, Callable[[ImportRow, str], None]]]:
        return [(place, _reading(column, self.format)) for place, column in self.fields.items()]


def _reading(column: FileColumn, habits: CellFormat) -> Callable[[ImportRow, str], None]:
    """What puts the text of a column's cells into a row. It raises Wrong."""
    key = column.key
    if key in cells.PLAIN_PARSERS:
        name, read = cells.PLAIN_PARSERS[key]
        if read is cells.parse_words:
            return lambda row, text: row.data.__setitem__(name, text)
        return lambda row, text: row.data.__setitem__(name, read(text, habits))
    if key in cells.ADDRESS_KEYS:
        part = cells.ADDRESS_KEYS[key]
        return lambda row, text: row.data.setdefault("address", {}).__setitem__(part, text)
    if key.startswith(CUSTOM_FIELD_PREFIX):
        return _custom(column.custom, habits)
    if column.system is not None:
        system = column.system
        return lambda row, text: row.systems.__setitem__(system, joined.split_values(text))
    return _NAMED[key]


def _custom(field_: Any, habits: CellFormat) -> Callable[[ImportRow, str], None]:
    def read(row: ImportRow, text: str) -> None:
        value = cells.parse_custom_value(field_, text, habits)
        row.data.setdefault("custom_fields", []).append({"key": field_.key, "value": value})

    return read


_NAMED: Final[Mapping[str, Callable[[ImportRow, str], None]]] = {
    "tags": lambda row, text: setattr(row, "tags", joined.split_values(text)),
    "owner": lambda row, text: row.data.__setitem__("owner", {"email": text}),
    "company": lambda row, text: setattr(row, "company", text),
    "id": lambda row, text: setattr(row, "id", text),
}


def suggest_mapping(found: Sequence[str], known: Mapping[str, FileColumn], habits: CellFormat) -> FieldMapping:
    """The mapping that the headers suggest."""
    keys = [
        None if header == IGNORED_COLUMN else key
        for header, (key, _) in zip(found, headers.suggest_field(found, known), strict=True)
    ]
    fields = {place: find_column(dict(known), key) for place, key in enumerate(keys) if key is not None}
    return FieldMapping(len(found), {place: one for place, one in fields.items() if one is not None}, habits)


def check_mapping(
    found: Sequence[str],
    wanted: Sequence[Mapping[str, str]],
    known: Mapping[str, FileColumn],
    habits: CellFormat,
    path: Path,
) -> FieldMapping:
    """The mapping that a person gave: {"header", "field"} each. Raises InputError INVALID, FIELD_UNKNOWN."""
    checks, fields = ErrorCollector(), dict[int, FileColumn]()
    for number, one in enumerate(wanted):
        column = find_column(dict(known), one["field"])
        if column is None:
            message = f"There is no field “{one['field']}”; `fields` lists those there are."
            checks.add(ErrorCode.FIELD_UNKNOWN, message, (*path, number, "field"))
        elif not column.importable:
            message = f"“{one['field']}” cannot be imported; the system keeps it."
            checks.add(ErrorCode.FIELD_PROTECTED, message, (*path, number, "field"))
        elif any(column.key == other.key for other in fields.values()):
            message = f"“{one['field']}” is filled by another column already."
            checks.add(ErrorCode.INVALID, message, (*path, number, "field"))
        elif (header := _header(one["header"], found)) is None:
            message = f"The file has no column “{one['header']}”."
            checks.add(ErrorCode.INVALID, message, (*path, number, "header"))
        else:
            fields[found.index(header)] = column
    checks.raise_if_any()
    return FieldMapping(len(found), fields, habits)


def _header(wanted: str, found: Sequence[str]) -> str | None:
    """The header as the preview shows it; it may be given with the spaces that the file has around it."""
    return next((one for one in (wanted, wanted.strip()) if one in found), None)
