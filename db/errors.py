"""Errors of the storage layer.

StorageError
├── Unavailable            the database cannot be reached, or the connection was lost
├── StatementTimedOut      a statement or a lock exceeded its time limit
├── TransactionConflict    the transaction lost a race; it can be retried
└── UniqueViolation        another row has a unique value
"""

import re

_SHARD = re.compile(r"_\d+$")


class StorageError(Exception):
    """The database rejected or failed an operation. The cause has the driver's message."""


class Unavailable(StorageError):
    """The database cannot be reached, or the connection was lost."""


class StatementTimedOut(StorageError):
    """A statement or a lock exceeded its time limit."""


class TransactionConflict(StorageError):
    """The transaction lost a race and was rolled back; a retry may succeed."""


class UniqueViolation(StorageError):
    """Another row has a unique value. `columns` are the key's columns without the workspace."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        super().__init__(f"{table}({', '.join(columns)}) is taken")
        self.table = table
        self.columns = columns


def constraint_name(name: str) -> str:
    """The name of the constraint without the shard number that a cluster appends."""
    return _SHARD.sub("", name)
