"""Values of custom fields: what each type takes, how it is stored, how the log tells it."""

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
"""As it is kept in memory: a NUMBER is a float, a DATE_TIME its milliseconds, a MULTI_SELECT a list."""

_TEXTS: Final = frozenset(
    {
        CustomFieldType.TEXT,
        CustomFieldType.LONG_TEXT,
        CustomFieldType.EMAIL,
        CustomFieldType.PHONE,
        CustomFieldType.URL,
    }
)
COLUMN_BY_TYPE: Final[Mapping[CustomFieldType, str]] = {
    **dict.fromkeys(_TEXTS, "text"),
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "date_time",
    CustomFieldType.SELECT: "option",
    CustomFieldType.MULTI_SELECT: "option",
}
UNIQUE_TYPES: Final = _TEXTS - {CustomFieldType.LONG_TEXT} | {CustomFieldType.NUMBER, CustomFieldType.DATE}
"""The types whose values can be asked to be unique."""

# Whole numbers up to here are told without a point: larger ones are not exact any more.
_EXACT: Final = 2**53

# An index holds no longer keys.
_KEY: Final = 200


def check_value(field: Any, given: Any, path: Path, *, country: str | None) -> CustomValue | None:
    """The value to keep of what was given for the field; None for nothing. Raises InputError, INVALID at `path`."""
    if given is None:
        return None
    kind = CustomFieldType(field.type)
    if kind in _TEXTS:
        return _text(kind, _of(str, given, field, path), path, country)
    if kind is CustomFieldType.NUMBER:
        number = float(_of((int, float), given, field, path))
        if not math.isfinite(number):
            raise InputError(ErrorCode.INVALID, f"“{field.label}” takes a finite number.", path)
        return number
    if kind is CustomFieldType.BOOLEAN:
        return bool(_of(bool, given, field, path))
    if kind in (CustomFieldType.DATE, CustomFieldType.DATE_TIME):
        return _moment(field, kind, _of(str, given, field, path), path)
    if kind is CustomFieldType.SELECT:
        return _option(field, _of(str, given, field, path), path)
    chosen = [_option(field, one, path) for one in _of(list, given, field, path)]
    return list(dict.fromkeys(chosen)) or None


def read_value(field: Any, given: Any, path: Path, *, country: str | None) -> CustomValue | None:
    """The same; raises Refused BLANK, too, for nothing where the field is required."""
    value = check_value(field, given, path, country=country)
    if value is None and field.required:
        raise InputError(ErrorCode.BLANK, f"“{field.label}” is required.", path)
    return value


_WANTED: Final = {str: "a text", bool: "true or false", list: "a list of its options"}


def _of(kind: Any, given: Any, field: Any, path: Path) -> Any:
    if not isinstance(given, kind) or (kind is not bool and isinstance(given, bool)):
        wanted = _WANTED.get(kind, "a number") if not isinstance(kind, tuple) else "a number"
        raise InputError(ErrorCode.INVALID, f"“{field.label}” takes {wanted}.", path)
    return given


def _text(kind: CustomFieldType, given: str, path: Path, country: str | None) -> str | None:
    if kind is CustomFieldType.URL:
        return text_values.read_url(given, path)
    longest = text_values.MAX_TEXT_LENGTH if kind is CustomFieldType.LONG_TEXT else text_values.MAX_LINE_LENGTH
    kept = text_values.read_text(given, path, longest=longest)
    if kept is None or kind in (CustomFieldType.TEXT, CustomFieldType.LONG_TEXT):
        return kept
    return (
        text_values.read_email(kept, path)
        if kind is CustomFieldType.EMAIL
        else text_values.read_phone(kept, country, path)
    )


def _moment(field: Any, kind: CustomFieldType, given: str, path: Path) -> CustomValue:
    try:
        return wire_format.parse_date(given) if kind is CustomFieldType.DATE else wire_format.parse_moment(given)
    except ValueError as reason:
        message = f"“{given}” is no value of “{field.label}”: {reason}."
        raise InputError(ErrorCode.INVALID, message, path) from None


def _option(field: Any, given: Any, path: Path) -> str:
    option = normalize(given) if isinstance(given, str) else given
    if option not in field.options:
        message = f"“{given}” is not an option of “{field.label}”; choose one of {', '.join(field.options)}."
        raise InputError(ErrorCode.INVALID, message, path)
    return str(option)


# ── stored, read, told ────────────────────────────────────────────────────────────────────────────────────────────────


def value_rows(field: Any, value: CustomValue) -> list[dict[str, Any]]:
    """The columns of the rows that keep the value, in order; those that are not named hold nothing."""
    kind = CustomFieldType(field.type)
    each = value if isinstance(value, list) else [value]
    return [
        {"field_id": field.id, "position": place, COLUMN_BY_TYPE[kind]: one, **_keys(field, kind, one)}
        for place, one in enumerate(each)
    ]


def _keys(field: Any, kind: CustomFieldType, value: Any) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if kind in _TEXTS:
        folded = fold(value)
        keys = {"text_key": folded[:_KEY], "text_folded": folded}
    if field.unique:
        keys["unique_key"] = unique_key(value)
    return keys


def unique_key(value: Any) -> str:
    """Equal for values that may not stand side by side in a unique field: case and accents do not tell them apart."""
    key = fold(value) if isinstance(value, str) else repr(value)
    return key if len(key) <= _KEY else sha256(key.encode()).hexdigest()


def value_from_rows(field: Any, rows: Sequence[Any]) -> CustomValue | None:
    """The value that the rows keep."""
    if not rows:
        return None
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.MULTI_SELECT:
        return [row.option for row in rows]
    value: CustomValue = getattr(rows[0], COLUMN_BY_TYPE[kind])
    return value


def value_for_log(field: Any, value: Any) -> Any:
    """As clients see it."""
    if value is None:
        return None
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.DATE_TIME:
        return wire_format.format_moment(value)
    if kind is CustomFieldType.NUMBER and abs(value) < _EXACT and value == int(value):
        return int(value)
    return value


def searchable_texts(field: Any, value: CustomValue | None) -> str | None:
    """The text that a search finds the record by."""
    return value if isinstance(value, str) and CustomFieldType(field.type) in _TEXTS else None
