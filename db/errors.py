"""What can go wrong below the rules.

StorageError
├── Unavailable        the database cannot be reached, or went away
├── TookTooLong        a statement or a lock passed its time limit
├── Contended          the transaction lost a race; it may be run again
└── Taken              a unique value is held by another row
"""

import re

_SHARD = re.compile(r"_\d+$")


class StorageError(Exception):
    """The database refused or failed; the cause holds the driver's own words."""


class Unavailable(StorageError):
    """The database cannot be reached, or went away."""


class StatementTimedOut(StorageError):
    """A statement or a lock passed its time limit."""


class TransactionConflict(StorageError):
    """The transaction lost a race and was undone; run again it may win."""


class UniqueViolation(StorageError):
    """A unique value is held by another row. `columns` are the key's columns without the workspace."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        super().__init__(f"{table}({', '.join(columns)}) is taken")
        self.table = table
        self.columns = columns


def constraint_name(name: str) -> str:
    """The constraint's own name: a cluster appends the number of the shard."""
    return _SHARD.sub("", name)
