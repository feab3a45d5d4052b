"""Encodes the errors of a row as plain data for storage, and decodes them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import errors
from crm.errors import ConflictError, DuplicateError, ErrorCode, InputError, LimitError, TransitionError
from db.values import wire_format

_ATTRIBUTES: Final[Mapping[type[InputError], tuple[str, ...]]] = {
    InputError: (),
    LimitError: ("limit", "current"),
    TransitionError: ("from_", "to", "allowed"),
    ConflictError: (),
    DuplicateError: (),
}
_RECORDS: Final[Mapping[type[InputError], str]] = {ConflictError: "record", DuplicateError: "existing"}


def encode_error(error: InputError, row: int) -> dict[str, Any]:
    """Encodes an error as JSON. The record that the error refers to is stored by its id."""
    kind = type(error)
    data: dict[str, Any] = {
        "kind": kind.__name__,
        "code": error.code.value,
        "message": error.message,
        "path": list(error.path),
        "row": row,
    }
    for name in _ATTRIBUTES[kind]:
        value = getattr(error, name)
        data[name] = list(value) if isinstance(value, tuple) else value
    if kind in _RECORDS:
        record = getattr(error, _RECORDS[kind])
        data["record"] = wire_format.id_encoder(record.table.__name__)(record.id)
    return data


def referenced_record_id(data: Mapping[str, Any]) -> str | None:
    """The wire id of the record that the stored error refers to."""
    record_id: str | None = data.get("record")
    return record_id


def decode_error(data: Mapping[str, Any], records: Mapping[str, Any]) -> InputError:
    """Decodes a stored error. If the record that it refers to no longer exists, the result is a plain InputError."""
    kind = errors.kind_for_stored_name(data["kind"])
    attributes = {name: data[name] for name in _ATTRIBUTES[kind]}
    if kind in _RECORDS:
        record = records.get(data["record"])
        if record is None:
            kind = InputError
        else:
            attributes[_RECORDS[kind]] = record
    return errors.restore_error(kind, ErrorCode(data["code"]), data["message"], data["path"], data["row"], attributes)


def encode_errors(refusals: Sequence[InputError], row: int) -> list[dict[str, Any]] | None:
    """Encodes all errors of a row; None if there are none."""
    return [encode_error(error, row) for error in refusals] or None
