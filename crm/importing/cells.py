"""Converts the text of a cell to the value of a field, in the notations of several countries."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm.files import cells
from db.tables.enums import CustomerStage, CustomFieldType, Gender, RelationshipStatus, SubscriptionStatus
from db.values import wire_format
from db.values.folding import fold, normalize


@dataclass(frozen=True, slots=True)
class CellFormat:
    """The workspace's date format and time zone."""

    month_first: bool = False
    timezone: str = "UTC"


class CellError(Exception):
    """The cell does not contain a valid value; the message gives the reason."""


CellParser = Callable[[str, CellFormat], Any]


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]{1,3})?", re.ASCII)
_PLAIN_AMOUNT: Final = re.compile(r"(-?[0-9]{1,12})(?:\.([0-9]{1,4}))?", re.ASCII)
_MAX_AMOUNT: Final = 2**63 - 1


def parse_number(text: str) -> Decimal:
    """Parses 1234.5, 1,234.50, 1.234,50 and 1 234,50. Rejects a single comma before three digits, which is
    ambiguous."""
    plain = re.sub(r"[\s  ']+", "", text)
    if not _NUMBER.fullmatch(plain):
        raise CellError(f"“{text}” is not a number.")
    commas, points = plain.count(","), plain.count(".")
    if commas and points:
        decimal = max(plain.rfind(","), plain.rfind("."))
        whole, rest = re.sub("[.,]", "", plain[:decimal]), plain[decimal + 1 :]
        plain = f"{whole}.{rest}" if min(commas, points) == 1 else plain.replace(",", "")
    elif commas == 1:
        if len(plain.partition(",")[2]) == 3:
            raise CellError(f"“{text}” is ambiguous; write 1234 or 1.234.")
        plain = plain.replace(",", ".")
    elif commas or points > 1:
        plain = plain.replace(",", "").replace(".", "")
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise CellError(f"“{text}” is not a number.") from None


def parse_amount(text: str, _: CellFormat) -> int:
    """Parses an amount in ten-thousandths."""
    plain = _PLAIN_AMOUNT.fullmatch(text)
    if plain is not None:
        whole, rest = plain.groups("")
        return int(whole + rest.ljust(wire_format.SCALE, "0"))
    scaled = parse_number(text).scaleb(wire_format.SCALE)
    if scaled != scaled.to_integral_value():
        raise CellError(f"“{text}” has more than {wire_format.SCALE} decimal places.")
    if abs(scaled) > _MAX_AMOUNT:
        raise CellError(f"“{text}” is too large.")
    return int(scaled)


# ── dates ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_DATE: Final = re.compile(r"([0-9]{1,4})[./\-\s]([0-9]{1,2})[./\-\s]([0-9]{1,4})", re.ASCII)
_TIME: Final = re.compile(r"(.+?)[T\s]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)", re.ASCII)


def parse_date(text: str, cell_format: CellFormat) -> str:
    """Parses 2026-11-21 in every country, and 21/11/2026 or, if the month comes first, 11/21/2026. Ignores a time after
    the date."""
    return _parse_day(text, cell_format.month_first)


@lru_cache(maxsize=20_000)
def _parse_day(text: str, month_first: bool) -> str:
    plain = text.strip()
    with_time = _TIME.fullmatch(plain.rstrip("Zz"))
    match = _DATE.fullmatch(with_time[1] if with_time else plain)
    if match is not None:
        first, second, third = (int(part) for part in match.groups())
        if len(match[1]) == 4:
            parts = (first, second, third)
        elif len(match[3]) == 4:
            parts = (third, first, second) if month_first else (third, second, first)
        else:
            parts = (0, 0, 0)
        try:
            return date(*parts).isoformat()
        except ValueError:
            pass
    raise CellError(f"“{text}” is not a date; write it as 1990-05-17.")


def parse_moment(text: str, cell_format: CellFormat) -> str:
    """Parses RFC 3339, or a date with or without a time in the workspace's time zone."""
    try:
        wire_format.parse_moment(text)
        return text
    except ValueError:
        pass
    with_time = _TIME.fullmatch(text.strip())
    time_text = with_time[2] if with_time else "00:00"
    local_time = datetime.fromisoformat(
        f"{parse_date(with_time[1] if with_time else text, cell_format)}T{time_text.zfill(5)}"
    )
    zoned_time = local_time.replace(tzinfo=ZoneInfo(cell_format.timezone))
    return wire_format.format_moment(int(zoned_time.astimezone(UTC).timestamp() * 1000))


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _word_table(**words_by_value: str) -> Mapping[str, str]:
    return {fold(word): value for value, words in words_by_value.items() for word in words.split()}


_GENDERS: Final = _word_table(
    FEMALE="female f woman nữ bà cô chị femmina donna perempuan wanita p",
    MALE="male m man nam ông anh maschio uomo pria laki laki-laki l",
    OTHER="other khác altro lainnya lain x diverse",
)
_BOOLEANS: Final = _word_table(
    true="true yes y 1 on x có đúng sì si vero ya benar", false="false no n 0 off không sai falso tidak bukan salah"
)


def parse_gender(text: str, _: CellFormat) -> Gender:
    name = _GENDERS.get(fold(text))
    if name is None:
        raise CellError(f"“{text}” is not one of FEMALE, MALE, OTHER.")
    return Gender[name]


def parse_boolean(text: str, _: CellFormat) -> bool:
    value = _BOOLEANS.get(fold(text))
    if value is None:
        raise CellError(f"“{text}” is neither true nor false.")
    return value == "true"


def parse_choice(names: type[IntEnum]) -> CellParser:
    """Parses an enum value by its name in any notation: “To be assigned”, “TO_BE_ASSIGNED”."""
    members_by_name = {re.sub(r"[\s_-]+", "", member.name.casefold()): member for member in names}

    @lru_cache(maxsize=200)
    def find_member(text: str) -> IntEnum | None:
        return members_by_name.get(re.sub(r"[\s_-]+", "", fold(text)))

    def parse(text: str, _: CellFormat) -> IntEnum:
        parsed = find_member(text)
        if parsed is None:
            raise CellError(f"“{text}” is not one of {', '.join(member.name for member in names)}.")
        return parsed

    return parse


def parse_words(text: str, _: CellFormat) -> str:
    return text


def parse_several(text: str, _: CellFormat) -> list[str]:
    return cells.split_values(text)


# The name of each field in the input data, and the parser for its cells.
PLAIN_PARSERS: Final[Mapping[str, tuple[str, CellParser]]] = {
    "name": ("name", parse_words),
    "nickname": ("nickname", parse_words),
    "realName": ("real_name", parse_words),
    "avatarUrl": ("avatar_url", parse_words),
    "phone": ("phone", parse_words),
    "phones": ("phones", parse_several),
    "email": ("email", parse_words),
    "emails": ("emails", parse_several),
    "gender": ("gender", parse_gender),
    "birthDate": ("birth_date", parse_date),
    "value": ("value", parse_amount),
    "source": ("source", parse_words),
    "channel": ("channel", parse_words),
    "relationshipStatus": ("relationship_status", parse_choice(RelationshipStatus)),
    "subscriptionStatus": ("subscription_status", parse_choice(SubscriptionStatus)),
    "stage": ("stage", parse_choice(CustomerStage)),
    "followUpStage": ("follow_up_stage", parse_words),
    "resellerRelationship": ("reseller_relationship", parse_boolean),
}
ADDRESS_KEYS: Final = {
    "address.line1": "line1",
    "address.line2": "line2",
    "address.city": "city",
    "address.region": "region",
    "address.postalCode": "postal_code",
    "address.country": "country",
}


def parse_custom_value(field: Any, text: str, cell_format: CellFormat) -> Any:
    """Parses the JSON value of a custom field. Raises CellError."""
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.NUMBER:
        return float(parse_number(text))
    if kind is CustomFieldType.BOOLEAN:
        return parse_boolean(text, cell_format)
    if kind is CustomFieldType.DATE:
        return parse_date(text, cell_format)
    if kind is CustomFieldType.DATE_TIME:
        return parse_moment(text, cell_format)
    if kind is CustomFieldType.SELECT:
        return _option(field, text)
    return (
        [_option(field, value) for value in cells.split_values(text)] if kind is CustomFieldType.MULTI_SELECT else text
    )


def _option(field: Any, text: str) -> str:
    """The option in its defined spelling, if the cell differs only in case or accents."""
    if normalize(text) in field.options:
        return text
    matches = [option for option in field.options if fold(option) == fold(text)]
    return matches[0] if len(matches) == 1 else text
