"""Refusals of single rows as plain data, to be kept with the row and raised from it again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import errors
from crm.errors import ErrorCode, InputError
from db.values import wire_format

_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "InputError": (),
    "LimitError": ("limit", "current"),
    "TransitionError": ("from_", "to", "allowed"),
    "ConflictError": (),
    "DuplicateError": (),
}
_RECORDS: Final = {"ConflictError": "record", "DuplicateError": "existing"}

_FORMER_NAMES: Final = {
    "Refused": "InputError",
    "LimitRefused": "LimitError",
    "TransitionRefused": "TransitionError",
    "ConflictRefused": "ConflictError",
    "DuplicateRefused": "DuplicateError",
}
"""Rows that version 0.1 stored carry these names."""


def encode_error(refused: InputError, row: int) -> dict[str, Any]:
    """One refusal as JSON. Of a record that it shows, the id is kept."""
    kind = type(refused).__name__
    found: dict[str, Any] = {
        "kind": kind,
        "code": refused.code.value,
        "message": refused.message,
        "path": list(refused.path),
        "row": row,
    }
    for name in _KINDS[kind]:
        value = getattr(refused, name)
        found[name] = list(value) if isinstance(value, tuple) else value
    if kind in _RECORDS:
        record = getattr(refused, _RECORDS[kind])
        found["record"] = wire_format.id_encoder(record.table.__name__)(record.id)
    return found


def referenced_record_id(plain: Mapping[str, Any]) -> str | None:
    """The id on the wire of the record that the refusal shows."""
    found: str | None = plain.get("record")
    return found


def decode_error(plain: Mapping[str, Any], records: Mapping[str, Any]) -> InputError:
    """What was packed. Where the record that it shows is not there any more, what is left is an ordinary refusal."""
    kind = _FORMER_NAMES.get(plain["kind"], plain["kind"])
    record = records.get(plain["record"]) if kind in _RECORDS else None
    if kind in _RECORDS and record is None:
        kind = "InputError"
    # Made without its constructor, which would word the message anew.
    made: InputError = InputError.__new__(getattr(errors, kind))
    Exception.__init__(made, plain["message"])
    made.message, made.code, made.row = plain["message"], ErrorCode(plain["code"]), plain["row"]
    made.path = tuple(plain["path"])
    for name in _KINDS[kind]:
        value = plain[name]
        setattr(made, name, tuple(value) if isinstance(value, list) else value)
    if kind in _RECORDS:
        setattr(made, _RECORDS[kind], record)
    return made


def encode_errors(refusals: Sequence[InputError], row: int) -> list[dict[str, Any]] | None:
    """All refusals of a row; None where there is none."""
    return [encode_error(one, row) for one in refusals] or None
