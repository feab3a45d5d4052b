"""Scalars: wire format and stored value."""

import math
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN
from decimal import Decimal as Exact
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON

from db.values import wire_format
from db.values.wire_format import DAYS, FRACTIONS, MILLIS, MINUTES, SCALE, SECONDS, format_decimal
from graph.engine.field_declarations import InlineConversion

DateTime = NewType("DateTime", int)
Date = NewType("Date", str)
Duration = NewType("Duration", str)
Decimal = NewType("Decimal", int)
FilterJSON = NewType("FilterJSON", object)
SortJSON = NewType("SortJSON", object)

_DURATION = re.compile(r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)

# Stored amounts are ten-thousandths in 64 bits.
_MOST = 2**63 - 1


def parse_moment(value: Any) -> int:
    """Milliseconds since 1970 of an RFC 3339 text with any offset; finer digits are truncated."""
    try:
        return wire_format.parse_moment(value if isinstance(value, str) else "")
    except ValueError as error:
        raise GraphQLError(f"{value!r} is not a DateTime: {error}.") from None


def parse_date(value: Any) -> str:
    """An ISO 8601 calendar date, unchanged."""
    try:
        return wire_format.parse_date(value if isinstance(value, str) else "")
    except ValueError as error:
        raise GraphQLError(f"{value!r} is not a Date: {error}.") from None


def parse_duration(value: Any) -> str:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise GraphQLError(f"{value!r} is not a Duration: it needs the form P30D, P1Y6M or PT12H.")
    return value


def parse_decimal(value: Any) -> int:
    """Ten-thousandths of a decimal text. An integer JSON number is accepted."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise GraphQLError(f'{value!r} is not a Decimal: it needs the form "1234.56", as a string.')
    scaled = Exact(text).scaleb(SCALE)
    whole = scaled.quantize(Exact(1), rounding=ROUND_HALF_EVEN)
    if whole != scaled:
        raise GraphQLError(f"{value!r} has more than {SCALE} decimal places.")
    if abs(whole) > _MOST:
        raise GraphQLError(f"{value!r} is out of range: a Decimal holds up to 14 digits before the point.")
    return int(whole)


def parse_json(value: Any) -> Any:
    return value


def parse_any(value: Any) -> Any:
    """Values that every database and client supports: Unicode texts without NUL, numbers of 64 bits."""
    level = [value]
    while level:
        for one in level:
            if isinstance(one, str) and ("\0" in one or _SURROGATE.search(one)):
                raise GraphQLError("A JSON string must not contain the NUL character or an unpaired surrogate.")
            if isinstance(one, int) and not -_MOST - 1 <= one <= _MOST:
                raise GraphQLError("A JSON integer has at most 64 bits; send a larger number as a string.")
            if isinstance(one, float) and not math.isfinite(one):
                raise GraphQLError("A JSON number must be finite.")
        level = [inner for one in level if isinstance(one, dict | list) for inner in _inside(one)]
    return value


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return (*value.keys(), *value.values()) if isinstance(value, dict) else value


# Like `format_moment` and `format_decimal` of `db.values.wire_format`, in a form that the engine can inline.
_SHOW_MOMENT = InlineConversion(
    'f"{{days[{value} // 86_400_000]}}{{minutes[(rest := {value} % 86_400_000) // 60_000]}}'
    '{{seconds[rest // 1000 % 60]}}{{millis[rest % 1000]}}"',
    returns_str=True,
    days=DAYS,
    minutes=MINUTES,
    seconds=SECONDS,
    millis=MILLIS,
)
_SHOW_DECIMAL = InlineConversion(
    'f"{{{value} // 10_000}}{{fractions[{value} % 10_000]}}" if {value}.__class__ is int and {value} >= 0'
    " else show_decimal({value})",
    returns_str=True,
    fractions=FRACTIONS,
    show_decimal=format_decimal,
)

_JSON = "https://ecma-international.org/wp-content/uploads/ECMA-404_2nd_edition_december_2017.pdf"

SCALARS: dict[object, Any] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A time in UTC with milliseconds: 2026-11-21T09:30:00.000Z. Inputs may have any offset.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_SHOW_MOMENT,
        parse_value=parse_moment,
    ),
    Date: strawberry.scalar(
        name="Date",
        description="A calendar date: 2026-11-21.",
        serialize=str,
        parse_value=parse_date,
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="A duration in ISO 8601: P30D, P1Y6M, PT12H.",
        specified_by_url="https://www.iso.org/iso-8601-date-and-time-format.html",
        serialize=str,
        parse_value=parse_duration,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string: "1234.5". At most 4 decimal places.',
        serialize=_SHOW_DECIMAL,
        parse_value=parse_decimal,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value: an object, array, string, number, true, false or null.",
        specified_by_url=_JSON,
        serialize=parse_json,
        parse_value=parse_any,
    ),
    FilterJSON: strawberry.scalar(
        name="FilterJSON",
        description="A stored filter as JSON. The same JSON is accepted as a variable of the filter's input type.",
        serialize=parse_json,
        parse_value=parse_json,
    ),
    SortJSON: strawberry.scalar(
        name="SortJSON",
        description="A stored sort as JSON. The same JSON is accepted as a variable of the sort's input type.",
        serialize=parse_json,
        parse_value=parse_json,
    ),
}
