"""Maps the columns of a file to fields, and reads rows with the mapping."""

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
"""The column with the reasons in a file of failed rows."""


@dataclass(slots=True)
class ImportRow:
    """The requested values of a row, and its errors. `data` is the customer's input; companies, tags and external ids
    are still given by name and resolved later."""

    number: int
    data: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    company: str | None = None
    tags: list[str] = field(default_factory=list)
    systems: dict[str, list[str]] = field(default_factory=dict)
    tagged: list[Path] = field(default_factory=list)
    """The path of each tag that the row adds."""
    errors: list[InputError] = field(default_factory=list)


@dataclass(frozen=True)
class FieldMapping:
    """The fields of a file's columns, by column index."""

    width: int
    fields: Mapping[int, FileColumn]
    format: CellFormat

    @property
    def names(self) -> list[str]:
        """The keys of the fields."""
        return [column.key for column in self.fields.values()]

    def read_row(self, number: int, cell_texts: Sequence[str]) -> ImportRow:
        """Reads a row. Blank cells request no change."""
        row = ImportRow(number)
        if len(cell_texts) > self.width and any(cell.strip() for cell in cell_texts[self.width :]):
            message = (
                f"The row has {len(cell_texts)} cells, but the header has {self.width}; check its separators and "
                "quotes."
            )
            row.errors.append(InputError(ErrorCode.INVALID, message))
            return row
        for index, store in self._cell_readers:
            text = cell_texts[index].strip() if index < len(cell_texts) else ""
            if text:
                try:
                    store(row, text)
                except CellError as error:
                    row.errors.append(InputError(ErrorCode.INVALID, str(error), (self.fields[index].key,)))
        return row

    @cached_property
    def _cell_readers(self) -> Sequence[tuple[int, Callable[[ImportRow, str], None]]]:
        return [(index, _cell_reader(column, self.format)) for index, column in self.fields.items()]


def _cell_reader(column: FileColumn, cell_format: CellFormat) -> Callable[[ImportRow, str], None]:
    """The function that stores the text of the column's cells in a row. It raises CellError."""
    key = column.key
    if key in cells.PLAIN_PARSERS:
        name, parse = cells.PLAIN_PARSERS[key]
        if parse is cells.parse_words:
            return lambda row, text: row.data.__setitem__(name, text)
        return lambda row, text: row.data.__setitem__(name, parse(text, cell_format))
    if key in cells.ADDRESS_KEYS:
        part = cells.ADDRESS_KEYS[key]
        return lambda row, text: row.data.setdefault("address", {}).__setitem__(part, text)
    if key.startswith(CUSTOM_FIELD_PREFIX):
        return _custom_cell_reader(column.custom, cell_format)
    if column.system is not None:
        system = column.system
        return lambda row, text: row.systems.__setitem__(system, joined.split_values(text))
    return _REFERENCE_READERS[key]


def _custom_cell_reader(field_: Any, cell_format: CellFormat) -> Callable[[ImportRow, str], None]:
    def store(row: ImportRow, text: str) -> None:
        value = cells.parse_custom_value(field_, text, cell_format)
        row.data.setdefault("custom_fields", []).append({"key": field_.key, "value": value})

    return store


_REFERENCE_READERS: Final[Mapping[str, Callable[[ImportRow, str], None]]] = {
    "tags": lambda row, text: setattr(row, "tags", joined.split_values(text)),
    "owner": lambda row, text: row.data.__setitem__("owner", {"email": text}),
    "company": lambda row, text: setattr(row, "company", text),
    "id": lambda row, text: setattr(row, "id", text),
}


def suggest_mapping(
    file_headers: Sequence[str], known_columns: Mapping[str, FileColumn], cell_format: CellFormat
) -> FieldMapping:
    """The mapping that the headers suggest."""
    keys = [
        None if header == IGNORED_COLUMN else key
        for header, (key, _) in zip(file_headers, headers.suggest_field(file_headers, known_columns), strict=True)
    ]
    fields = {index: find_column(dict(known_columns), key) for index, key in enumerate(keys) if key is not None}
    return FieldMapping(
        len(file_headers), {index: column for index, column in fields.items() if column is not None}, cell_format
    )


def check_mapping(
    file_headers: Sequence[str],
    requested: Sequence[Mapping[str, str]],
    known_columns: Mapping[str, FileColumn],
    cell_format: CellFormat,
    path: Path,
) -> FieldMapping:
    """Checks the caller's mapping, {"header", "field"} each. Raises InputError INVALID, FIELD_UNKNOWN,
    FIELD_PROTECTED."""
    errors, fields = ErrorCollector(), dict[int, FileColumn]()
    for index, entry in enumerate(requested):
        column = find_column(dict(known_columns), entry["field"])
        if column is None:
            message = f"There is no field “{entry['field']}”; choose one of the listed fields."
            errors.add(ErrorCode.FIELD_UNKNOWN, message, (*path, index, "field"))
        elif not column.importable:
            message = f"“{entry['field']}” is set by the system and cannot be imported."
            errors.add(ErrorCode.FIELD_PROTECTED, message, (*path, index, "field"))
        elif any(column.key == other.key for other in fields.values()):
            message = f"“{entry['field']}” is already mapped to another column."
            errors.add(ErrorCode.INVALID, message, (*path, index, "field"))
        elif (header := _find_header(entry["header"], file_headers)) is None:
            message = f"The file has no column “{entry['header']}”."
            errors.add(ErrorCode.INVALID, message, (*path, index, "header"))
        else:
            fields[file_headers.index(header)] = column
    errors.raise_if_any()
    return FieldMapping(len(file_headers), fields, cell_format)


def _find_header(header: str, file_headers: Sequence[str]) -> str | None:
    """The header as the preview shows it. Callers may also give it with the surrounding spaces of the file."""
    return next((candidate for candidate in (header, header.strip()) if candidate in file_headers), None)
