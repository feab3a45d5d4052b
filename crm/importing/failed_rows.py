"""The rows that failed, as a file like the one they came from: with the reason, ready to be mended and sent again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from crm.files.tables import Table
from crm.files.writers import RowWriter
from crm.importing.mapping import IGNORED_COLUMN


class FailedRowsFile:
    """The file as it grows. What was sent is read again from its beginning, beside it."""

    def __init__(self, path: Path, table: Table) -> None:
        self._own = [place for place, header in enumerate(table.headers) if header != IGNORED_COLUMN]
        self._rows = enumerate(table.rows())
        headers = [*(table.headers[place] for place in self._own), IGNORED_COLUMN]
        self._writer = RowWriter(path, table.format, headers, separator=table.separator, bom=True)

    def add(self, reasons: Mapping[int, str]) -> None:
        """Rows by their numbers, all higher than those added before, with what is wrong with each."""
        last, found = max(reasons, default=-1), list[Sequence[str]]()
        if last < 0:
            return
        for number, row in self._rows:
            if number in reasons:
                cells = [row[place] if place < len(row) else "" for place in self._own]
                found.append([*cells, reasons[number]])
            if number == last:
                break
        self._writer.write(found)

    def close(self) -> None:
        self._writer.close()
