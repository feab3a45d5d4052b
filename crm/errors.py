"""Refusals: what a person can mend. Everything else that is raised is a bug.

    Refusal
    ├── Refused                 InputError         a value cannot be taken, or a rule forbids it
    │   ├── LimitError        LimitError         there would be more than allowed
    │   ├── TransitionError   TransitionError    a status cannot go from here to there
    │   ├── ConflictError     ConflictError      somebody else changed the record in the meantime
    │   └── DuplicateError    DuplicateError     another record holds a value that must be unique
    ├── Refusals                several of the above at once
    ├── Forbidden               FORBIDDEN          the permission for a whole field is missing
    ├── BadInput                BAD_USER_INPUT     the arguments of a query
    └── Unauthenticated         UNAUTHENTICATED    nobody is signed in

The first group becomes the `errors` of a mutation's payload, with the type named beside it; the last three are answered
at the top level. Every message is a sentence that says which value was refused and what to do about it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum, IntEnum
from typing import Any

from db.tables.enums import Permission

Path = Sequence[str | int]
"""Where in the arguments, from the outside in: ("input", "tags", "add", 1)."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """The count with the noun in singular or plural, for messages: “1 customer”, “2 customers”."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


class ErrorCode(Enum):
    """What a client can tell refusals apart by."""

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
    """Something a person asked for is not done; `message` tells that person why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InputError(ExpectedError):
    """One thing is wrong, at `path`; in row `row` (from 0) where many rows were given."""

    def __init__(self, code: ErrorCode, message: str, path: Path = (), *, row: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.path = tuple(str(step) for step in path)
        self.row = row

    @property
    def errors(self) -> tuple["InputError", ...]:
        """What to report: of one refusal itself, of several each."""
        return (self,)


class LimitError(InputError):
    """There would be `current` where at most `limit` are allowed."""

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
    """A status cannot go `from_` here `to` there; `allowed` is where it can go, in declared order. All are names."""

    def __init__(
        self, from_: IntEnum, to: IntEnum, allowed: Iterable[IntEnum], path: Path = (), *, row: int | None = None
    ) -> None:
        self.from_ = from_.name
        self.to = to.name
        self.allowed = tuple(one.name for one in sorted(allowed))
        ways = f"it can become {_either(self.allowed)}" if self.allowed else "nothing can be chosen from here"
        super().__init__(ErrorCode.INVALID_TRANSITION, f"{self.from_} cannot become {self.to}; {ways}.", path, row=row)


class ConflictError(InputError):
    """The version asked for is not the record's any more; `record` is its row as it is now."""

    def __init__(self, record: Any, path: Path = ("ifVersion",), *, row: int | None = None) -> None:
        message = (
            f"Somebody changed it since you read it; it is at version {record.version} now. Look again, then save."
        )
        super().__init__(ErrorCode.CONFLICT, message, path, row=row)
        self.record = record


class DuplicateError(InputError):
    """`existing`, the row of a record that the viewer may see, holds the value already."""

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
    """Several things are wrong at once."""

    def __init__(self, refusals: Iterable[InputError]) -> None:
        self.errors = tuple(refusals)
        super().__init__(" ".join(one.message for one in self.errors))


class Forbidden(ExpectedError):
    """The viewer lacks the permission that a whole field needs."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"You need the permission {permission.name} for this; an administrator can grant it.")
        self.permission = permission


class BadUserInput(ExpectedError):
    """The arguments of a query cannot be used. `reason` is for clients: LIMIT_EXCEEDED, FIELD_UNKNOWN, BAD_CURSOR …"""

    def __init__(self, reason: str, message: str, *, limit: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.limit = limit


class Unauthenticated(ExpectedError):
    """Nobody is signed in, or the token that was sent is not good any more."""

    def __init__(self, message: str = "Sign in first: there is no token, or it has ended.") -> None:
        super().__init__(message)


def raise_errors(refusals: Sequence[InputError]) -> None:
    """Raises what was gathered: nothing, the only one, or all at once."""
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise InputErrors(refusals)


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
