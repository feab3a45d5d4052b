"""Errors that a person can correct. Any other exception is a bug.

    ExpectedError
    ├── InputError              a value is invalid, or a rule forbids the change
    │   ├── LimitError          a limit would be exceeded
    │   ├── TransitionError     a status cannot change in this way
    │   ├── ConflictError       somebody else changed the record in the meantime
    │   └── DuplicateError      another record has a value that must be unique
    ├── InputErrors             several of the above at once
    ├── Forbidden               FORBIDDEN: the permission for a whole field is missing
    ├── BadUserInput            BAD_USER_INPUT: the arguments of a query are invalid
    └── Unauthenticated         UNAUTHENTICATED: nobody is signed in

InputError and its subclasses become the `errors` of a mutation's payload, with their type. The last three are reported
at the top level. Every message is a sentence that names the invalid value and says what to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, IntEnum
from typing import Any, Final

from db.tables.enums import Permission

Path = Sequence[str | int]
"""The path in the arguments, from the outside in: ("input", "tags", "add", 1)."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """The count with the noun in singular or plural, for messages: “1 customer”, “2 customers”."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


class ErrorCode(Enum):
    """The codes by which a client distinguishes errors."""

    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    BLANK = "BLANK"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TAKEN = "TAKEN"
    CONFLICT = "CONFLICT"
    AMBIGUOUS = "AMBIGUOUS"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    CUSTOMER_ARCHIVED = "CUSTOMER_ARCHIVED"
    CUSTOMER_BLOCKED = "CUSTOMER_BLOCKED"
    RESELLER_RELATIONSHIP_REQUIRED = "RESELLER_RELATIONSHIP_REQUIRED"
    TAG_KIND_MISMATCH = "TAG_KIND_MISMATCH"
    EMPTY_TARGET = "EMPTY_TARGET"
    UNBOUNDED_TARGET = "UNBOUNDED_TARGET"
    COUNT_MISMATCH = "COUNT_MISMATCH"
    BULK_DELETE_NOT_ALLOWED = "BULK_DELETE_NOT_ALLOWED"
    NOT_UNDOABLE = "NOT_UNDOABLE"
    AGENT_INACTIVE = "AGENT_INACTIVE"
    AGENT_AT_CAPACITY = "AGENT_AT_CAPACITY"
    AGENT_NOT_IN_DEPARTMENT = "AGENT_NOT_IN_DEPARTMENT"
    AGENT_HAS_CUSTOMERS = "AGENT_HAS_CUSTOMERS"
    DEPARTMENT_EMPTY = "DEPARTMENT_EMPTY"
    ALREADY_CLAIMED = "ALREADY_CLAIMED"
    CLAIM_LIMIT = "CLAIM_LIMIT"
    CLAIM_COOLDOWN = "CLAIM_COOLDOWN"
    SEGMENT_IS_DYNAMIC = "SEGMENT_IS_DYNAMIC"
    SEGMENT_CYCLE = "SEGMENT_CYCLE"
    IN_USE = "IN_USE"
    VIEW_PROTECTED = "VIEW_PROTECTED"
    FIELD_UNKNOWN = "FIELD_UNKNOWN"
    FIELD_PROTECTED = "FIELD_PROTECTED"
    OPTION_IN_USE = "OPTION_IN_USE"
    COMPANY_HAS_CUSTOMERS = "COMPANY_HAS_CUSTOMERS"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"


class ExpectedError(Exception):
    """A request cannot be carried out; `message` tells the person why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InputError(ExpectedError):
    """An error at `path`; with several rows, in row number `row` (from 0)."""

    def __init__(self, code: ErrorCode, message: str, path: Path = (), *, row: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.path = tuple(str(step) for step in path)
        self.row = row

    @property
    def errors(self) -> tuple["InputError", ...]:
        """The error itself as a tuple, as in InputErrors."""
        return (self,)


class LimitError(InputError):
    """The value would be `current`, but at most `limit` is allowed."""

    def __init__(
        self,
        message: str,
        path: Path = (),
        *,
        limit: int,
        current: int,
        code: ErrorCode = ErrorCode.LIMIT_EXCEEDED,
        row: int | None = None,
    ) -> None:
        super().__init__(code, message, path, row=row)
        self.limit = limit
        self.current = current


class TransitionError(InputError):
    """A status cannot change `from_` one `to` another; `allowed` are the possible statuses in declared order. All are
    names."""

    def __init__(
        self, from_: IntEnum, to: IntEnum, allowed: Iterable[IntEnum], path: Path = (), *, row: int | None = None
    ) -> None:
        self.from_ = from_.name
        self.to = to.name
        self.allowed = tuple(status.name for status in sorted(allowed))
        possibilities = f"it can become {_join_with_or(self.allowed)}" if self.allowed else "it cannot be changed"
        super().__init__(
            ErrorCode.INVALID_TRANSITION, f"{self.from_} cannot become {self.to}; {possibilities}.", path, row=row
        )


class ConflictError(InputError):
    """The record no longer has the expected version; `record` is its current row."""

    def __init__(self, record: Any, path: Path = ("ifVersion",), *, row: int | None = None) -> None:
        message = (
            f"Somebody changed this record since you opened it (it now has version {record.version}); reload it "
            "and save again."
        )
        super().__init__(ErrorCode.CONFLICT, message, path, row=row)
        self.record = record


def check_version(record: Any, expected: int | None) -> None:
    """Raises ConflictError unless the record has the expected version; None expects no particular version."""
    if expected is not None and expected != record.version:
        raise ConflictError(record)


class DuplicateError(InputError):
    """`existing` is the row of a record, visible to the viewer, that already has the value."""

    def __init__(
        self,
        message: str,
        path: Path = (),
        *,
        existing: Any,
        code: ErrorCode = ErrorCode.TAKEN,
        row: int | None = None,
    ) -> None:
        super().__init__(code, message, path, row=row)
        self.existing = existing


class InputErrors(ExpectedError):
    """Several errors at once."""

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.message for error in self.errors))


class Forbidden(ExpectedError):
    """The viewer lacks the permission that a whole field needs."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"You need the permission {permission.name} for this; an administrator can grant it.")
        self.permission = permission


class BadUserInput(ExpectedError):
    """The arguments of a query are invalid. `reason` is for clients: LIMIT_EXCEEDED, FIELD_UNKNOWN, BAD_CURSOR …"""

    def __init__(self, reason: str, message: str, *, limit: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.limit = limit


class Unauthenticated(ExpectedError):
    """Nobody is signed in, or the token is no longer valid."""

    def __init__(self, message: str = "Sign in first; your session is missing or has ended.") -> None:
        super().__init__(message)


def raise_errors(errors: Sequence[InputError]) -> None:
    """Raises the only error itself, several as InputErrors, and nothing for an empty list."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputErrors(errors)


def _join_with_or(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


_KINDS: Final = (InputError, LimitError, TransitionError, ConflictError, DuplicateError)
_STORED_KINDS: Final[Mapping[str, type[InputError]]] = {kind.__name__: kind for kind in _KINDS} | {
    "Refused": InputError,
    "LimitRefused": LimitError,
    "TransitionRefused": TransitionError,
    "ConflictRefused": ConflictError,
    "DuplicateRefused": DuplicateError,
}
"""By name, and by the name in version 0.1."""


def kind_for_stored_name(name: str) -> type[InputError]:
    """The class of a stored error. Raises KeyError for an unknown name."""
    return _STORED_KINDS[name]


def restore_error(
    kind: type[InputError],
    code: ErrorCode,
    message: str,
    path: Iterable[str],
    row: int | None,
    attributes: Mapping[str, Any],
) -> InputError:
    """A stored error as it was. Bypasses the constructor, which would generate the message again."""
    restored = InputError.__new__(kind)
    Exception.__init__(restored, message)
    restored.message, restored.code, restored.path, restored.row = message, code, tuple(path), row
    for name, value in attributes.items():
        setattr(restored, name, tuple(value) if isinstance(value, list) else value)
    return restored
