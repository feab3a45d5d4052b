"""Values of custom fields: what each type accepts, how it is stored, and how the log shows it."""

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from crm.errors import ErrorCode, InputError, Path
from crm.values import text_values
from db.tables.enums import CustomFieldType
from db.values import wire_format
from db.values.folding import fold, normalize

CustomValue = str | float | bool | int | list[str]
"""A value in memory: a NUMBER is a float, a DATE_TIME is milliseconds, a MULTI_SELECT is a list."""

_TEXT_TYPES: Final = frozenset(
    {
        CustomFieldType.TEXT,
        CustomFieldType.LONG_TEXT,
        CustomFieldType.EMAIL,
        CustomFieldType.PHONE,
        CustomFieldType.URL,
    }
)
COLUMN_BY_TYPE: Final[Mapping[CustomFieldType, str]] = {
    **dict.fromkeys(_TEXT_TYPES, "text"),
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "date_time",
    CustomFieldType.SELECT: "option",
    CustomFieldType.MULTI_SELECT: "option",
}
UNIQUE_TYPES: Final = _TEXT_TYPES - {CustomFieldType.LONG_TEXT} | {CustomFieldType.NUMBER, CustomFieldType.DATE}
"""The types whose values can be unique."""

# Whole numbers below this limit are shown without a decimal point; larger ones are not exact.
_MAX_EXACT_INTEGER: Final = 2**53

# Maximum length of an indexed key.
_MAX_KEY_LENGTH: Final = 200


def check_value(field: Any, data: Any, path: Path, *, country: str | None) -> CustomValue | None:
    """The value to store for the input; None for no value. Raises InputError INVALID at `path`."""
    if data is None:
        return None
    kind = CustomFieldType(field.type)
    if kind in _TEXT_TYPES:
        return _read_text_value(kind, _require_type(str, data, field, path), path, country)
    if kind is CustomFieldType.NUMBER:
        number = float(_require_type((int, float), data, field, path))
        if not math.isfinite(number):
            raise InputError(ErrorCode.INVALID, f"“{field.label}” needs a finite number.", path)
        return number
    if kind is CustomFieldType.BOOLEAN:
        return bool(_require_type(bool, data, field, path))
    if kind in (CustomFieldType.DATE, CustomFieldType.DATE_TIME):
        return _read_time_value(field, kind, _require_type(str, data, field, path), path)
    if kind is CustomFieldType.SELECT:
        return _read_option(field, _require_type(str, data, field, path), path)
    options = [_read_option(field, option_text, path) for option_text in _require_type(list, data, field, path)]
    return list(dict.fromkeys(options)) or None


def read_value(field: Any, data: Any, path: Path, *, country: str | None) -> CustomValue | None:
    """The value to store. Also raises InputError BLANK if a required field has no value."""
    value = check_value(field, data, path, country=country)
    if value is None and field.required:
        raise InputError(ErrorCode.BLANK, f"“{field.label}” is required; enter a value.", path)
    return value


_EXPECTED_INPUT: Final = {str: "a text", bool: "true or false", list: "a list of its options"}


def _require_type(kind: Any, data: Any, field: Any, path: Path) -> Any:
    if not isinstance(data, kind) or (kind is not bool and isinstance(data, bool)):
        expected = _EXPECTED_INPUT.get(kind, "a number") if not isinstance(kind, tuple) else "a number"
        raise InputError(ErrorCode.INVALID, f"“{field.label}” needs {expected}.", path)
    return data


def _read_text_value(kind: CustomFieldType, data: str, path: Path, country: str | None) -> str | None:
    if kind is CustomFieldType.URL:
        return text_values.read_url(data, path)
    max_length = text_values.MAX_TEXT_LENGTH if kind is CustomFieldType.LONG_TEXT else text_values.MAX_LINE_LENGTH
    text = text_values.read_text(data, path, max_length=max_length)
    if text is None or kind in (CustomFieldType.TEXT, CustomFieldType.LONG_TEXT):
        return text
    return (
        text_values.read_email(text, path)
        if kind is CustomFieldType.EMAIL
        else text_values.read_phone(text, country, path)
    )


def _read_time_value(field: Any, kind: CustomFieldType, text: str, path: Path) -> CustomValue:
    try:
        return wire_format.parse_date(text) if kind is CustomFieldType.DATE else wire_format.parse_moment(text)
    except ValueError as reason:
        message = f"“{text}” is not a valid value for “{field.label}”: {reason}."
        raise InputError(ErrorCode.INVALID, message, path) from None


def _read_option(field: Any, data: Any, path: Path) -> str:
    option = normalize(data) if isinstance(data, str) else data
    if option not in field.options:
        message = f"“{data}” is not an option of “{field.label}”; choose one of {', '.join(field.options)}."
        raise InputError(ErrorCode.INVALID, message, path)
    return str(option)


# ── storage and output ────────────────────────────────────────────────────────────────────────────────────────────────


def value_rows(field: Any, value: CustomValue) -> list[dict[str, Any]]:
    """The columns of the rows that store the value, in order. Columns that are not listed are null."""
    kind = CustomFieldType(field.type)
    values = value if isinstance(value, list) else [value]
    return [
        {"field_id": field.id, "position": position, COLUMN_BY_TYPE[kind]: item, **_key_columns(field, kind, item)}
        for position, item in enumerate(values)
    ]


def _key_columns(field: Any, kind: CustomFieldType, value: Any) -> dict[str, Any]:
    key_columns: dict[str, Any] = {}
    if kind in _TEXT_TYPES:
        folded = fold(value)
        key_columns = {"text_key": folded[:_MAX_KEY_LENGTH], "text_folded": folded}
    if field.unique:
        key_columns["unique_key"] = unique_key(value)
    return key_columns


def unique_key(value: Any) -> str:
    """A key that is equal for values that must not coexist in a unique field. It ignores case and accents."""
    key = fold(value) if isinstance(value, str) else repr(value)
    return key if len(key) <= _MAX_KEY_LENGTH else sha256(key.encode()).hexdigest()


def value_from_rows(field: Any, rows: Sequence[Any]) -> CustomValue | None:
    """The value that the rows store."""
    if not rows:
        return None
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.MULTI_SELECT:
        return [row.option for row in rows]
    value: CustomValue = getattr(rows[0], COLUMN_BY_TYPE[kind])
    return value


def value_for_log(field: Any, value: Any) -> Any:
    """The value as clients see it."""
    if value is None:
        return None
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.DATE_TIME:
        return wire_format.format_moment(value)
    if kind is CustomFieldType.NUMBER and abs(value) < _MAX_EXACT_INTEGER and value == int(value):
        return int(value)
    return value


def searchable_texts(field: Any, value: CustomValue | None) -> str | None:
    """The text by which a search finds the record; None if there is none."""
    return value if isinstance(value, str) and CustomFieldType(field.type) in _TEXT_TYPES else None
