"""The wire format of stored values: ids with a type prefix, times, amounts."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from db.values.time_units import MS_PER_DAY, MS_PER_MINUTE

_WIRE = re.compile(r"([a-z]{3})_([0-9a-f]{32})", re.ASCII)

# The id prefix of each type.
PREFIXES = {
    "Customer": "cus",
    "Company": "com",
    "Tag": "tag",
    "Segment": "seg",
    "Agent": "agt",
    "Department": "dep",
    "Workspace": "wsp",
    "Note": "not",
    "Interaction": "int",
    "Order": "ord",
    "CustomField": "fld",
    "SavedView": "viw",
    "AssignmentRule": "rul",
    "Job": "job",
    "Change": "chg",
    "DuplicateGroup": "dup",
    "ApiKey": "key",
    "Webhook": "whk",
    "Delivery": "dlv",
    "Upload": "upl",
}
_TYPES = {prefix: name for name, prefix in PREFIXES.items()}


def id_encoder(kind: str) -> Callable[[bytes], str]:
    """Returns the function that encodes ids of that type."""
    prefix = PREFIXES[kind] + "_"
    return lambda identifier: prefix + identifier.hex()


def decode_id(kind: str, text: str) -> bytes | None:
    """The id of a record of that type; None if the text is not such an id."""
    found = _WIRE.fullmatch(text)
    return bytes.fromhex(found[2]) if found and found[1] == PREFIXES[kind] else None


def split_id(text: str) -> tuple[str, bytes] | None:
    """The name of the type and the id; None if the text is not an id."""
    found = _WIRE.fullmatch(text)
    if found is None or found[1] not in _TYPES:
        return None
    return _TYPES[found[1]], bytes.fromhex(found[2])


# ── moments and amounts ───────────────────────────────────────────────────────────────────────────────────────────────

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

# Decimal places of stored amounts.
SCALE = 4
_ONE = 10**SCALE

# Milliseconds.


class _Days(dict[int, str]):
    """Formatted dates by days since 1970."""

    def __missing__(self, day: int) -> str:
        if len(self) > 50_000:
            self.clear()
        shown = self[day] = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
        return shown


class _Fractions(dict[int, str]):
    """Formatted fractions without trailing zeros."""

    def __missing__(self, rest: int) -> str:
        shown = self[rest] = f".{rest:04}".rstrip("0") if rest else ""
        return shown


# Precomputed parts of times and amounts, because answers contain many of them.
DAYS = _Days()
MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60))
SECONDS = tuple(f"{second:02}." for second in range(60))
MILLIS = tuple(f"{milli:03}Z" for milli in range(1000))
FRACTIONS = _Fractions()


def format_moment(moment: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    day = moment // MS_PER_DAY
    rest = moment - day * MS_PER_DAY
    minute = rest // MS_PER_MINUTE
    rest -= minute * MS_PER_MINUTE
    second = rest // 1000
    return f"{DAYS[day]}{MINUTES[minute]}{SECONDS[second]}{MILLIS[rest - second * 1000]}"


def format_decimal(value: int | Decimal) -> str:
    """A number of ten-thousandths, or an exact number, without trailing zeros."""
    if value.__class__ is int and value >= 0:
        whole = value // _ONE
        return f"{whole}{FRACTIONS[value - whole * _ONE]}"
    exact = Decimal(value).scaleb(-SCALE) if isinstance(value, int) else value
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_moment(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 text with any offset; finer digits are truncated. Raises ValueError."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("it needs the form 2026-11-21T09:30:00Z, with an offset")
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T")).astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies outside of the years 1 to 9999") from None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def parse_date(text: str) -> str:
    """An ISO 8601 calendar date, unchanged. Raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError("it needs the form 2026-11-21")
    date.fromisoformat(text)
    return text
