"""The failed rows as a file in the original format, with the reason per row, ready to be corrected and imported
again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from crm.files.tables import Table
from crm.files.writers import RowWriter
from crm.importing.mapping import IGNORED_COLUMN


class FailedRowsFile:
    """The growing file of failed rows. It reads the original file again from the start."""

    def __init__(self, path: Path, table: Table) -> None:
        self._column_indexes = [index for index, header in enumerate(table.headers) if header != IGNORED_COLUMN]
        self._rows = enumerate(table.rows())
        headers = [*(table.headers[index] for index in self._column_indexes), IGNORED_COLUMN]
        self._writer = RowWriter(path, table.format, headers, separator=table.separator, bom=True)

    def add(self, reasons: Mapping[int, str]) -> None:
        """Adds rows by their numbers, with the reasons of their failure. The numbers must be higher than those of
        earlier calls."""
        last, failed = max(reasons, default=-1), list[Sequence[str]]()
        if last < 0:
            return
        for number, row in self._rows:
            if number in reasons:
                cells = [row[index] if index < len(row) else "" for index in self._column_indexes]
                failed.append([*cells, reasons[number]])
            if number == last:
                break
        self._writer.write(failed)

    def close(self) -> None:
        self._writer.close()
