"""From the text of a cell to the value of a field, as people in several countries write it."""

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
    """Of the workspace: how dates are written there, and its time zone."""

    month_first: bool = False
    timezone: str = "UTC"


class CellError(Exception):
    """The cell holds no such value; the message says so."""


CellParser = Callable[[str, CellFormat], Any]


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]{1,3})?", re.ASCII)
_PLAIN: Final = re.compile(r"(-?[0-9]{1,12})(?:\.([0-9]{1,4}))?", re.ASCII)
_MOST: Final = 2**63 - 1


def parse_number(text: str) -> Decimal:
    """1234.5, 1,234.50, 1.234,50, 1 234,50. One comma before three digits could mean either, and is refused."""
    plain = re.sub(r"[\s  ']+", "", text)
    if not _NUMBER.fullmatch(plain):
        raise CellError(f"“{text}” is no number.")
    commas, points = plain.count(","), plain.count(".")
    if commas and points:
        decimal = max(plain.rfind(","), plain.rfind("."))
        whole, rest = re.sub("[.,]", "", plain[:decimal]), plain[decimal + 1 :]
        plain = f"{whole}.{rest}" if min(commas, points) == 1 else plain.replace(",", "")
    elif commas == 1:
        if len(plain.partition(",")[2]) == 3:
            raise CellError(f"“{text}” can be read in two ways: write 1234 or 1.234.")
        plain = plain.replace(",", ".")
    elif commas or points > 1:
        plain = plain.replace(",", "").replace(".", "")
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise CellError(f"“{text}” is no number.") from None


def parse_amount(text: str, _: CellFormat) -> int:
    """Ten-thousandths."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        whole, rest = plain.groups("")
        return int(whole + rest.ljust(wire_format.SCALE, "0"))
    scaled = parse_number(text).scaleb(wire_format.SCALE)
    if scaled != scaled.to_integral_value():
        raise CellError(f"“{text}” has more than {wire_format.SCALE} decimal places.")
    if abs(scaled) > _MOST:
        raise CellError(f"“{text}” is out of range.")
    return int(scaled)


# ── dates ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_DATE: Final = re.compile(r"([0-9]{1,4})[./\-\s]([0-9]{1,2})[./\-\s]([0-9]{1,4})", re.ASCII)
_TIME: Final = re.compile(r"(.+?)[T\s]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)", re.ASCII)


def parse_date(text: str, habits: CellFormat) -> str:
    """2026-11-21 in every country; 21/11/2026, or 11/21/2026 where the month comes first. A time behind it is left."""
    return _day(text, habits.month_first)


@lru_cache(maxsize=20_000)
def _day(text: str, month_first: bool) -> str:
    plain = text.strip()
    timed = _TIME.fullmatch(plain.rstrip("Zz"))
    found = _DATE.fullmatch(timed[1] if timed else plain)
    if found is not None:
        first, second, third = (int(part) for part in found.groups())
        if len(found[1]) == 4:
            parts = (first, second, third)
        elif len(found[3]) == 4:
            parts = (third, first, second) if month_first else (third, second, first)
        else:
            parts = (0, 0, 0)
        try:
            return date(*parts).isoformat()
        except ValueError:
            pass
    raise CellError(f"“{text}” is no date: write it as 1990-05-17.")


def parse_moment(text: str, habits: CellFormat) -> str:
    """RFC 3339; or a date with a time, or without one, in the workspace's time zone."""
    try:
        wire_format.parse_moment(text)
        return text
    except ValueError:
        pass
    timed = _TIME.fullmatch(text.strip())
    clock = timed[2] if timed else "00:00"
    local = datetime.fromisoformat(f"{parse_date(timed[1] if timed else text, habits)}T{clock.zfill(5)}")
    there = local.replace(tzinfo=ZoneInfo(habits.timezone))
    return wire_format.format_moment(int(there.astimezone(UTC).timestamp() * 1000))


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _words(**of: str) -> Mapping[str, str]:
    return {fold(word): value for value, words in of.items() for word in words.split()}


_GENDERS: Final = _words(
    FEMALE="female f woman nữ bà cô chị femmina donna perempuan wanita p",
    MALE="male m man nam ông anh maschio uomo pria laki laki-laki l",
    OTHER="other khác altro lainnya lain x diverse",
)
_TRUTH: Final = _words(
    true="true yes y 1 on x có đúng sì si vero ya benar", false="false no n 0 off không sai falso tidak bukan salah"
)


def parse_gender(text: str, _: CellFormat) -> Gender:
    found = _GENDERS.get(fold(text))
    if found is None:
        raise CellError(f"“{text}” is none of FEMALE, MALE, OTHER.")
    return Gender[found]


def parse_boolean(text: str, _: CellFormat) -> bool:
    found = _TRUTH.get(fold(text))
    if found is None:
        raise CellError(f"“{text}” is neither true nor false.")
    return found == "true"


def parse_choice(names: type[IntEnum]) -> CellParser:
    """A value by its name, however it is written: To be assigned, TO_BE_ASSIGNED."""
    known = {re.sub(r"[\s_-]+", "", one.name.casefold()): one for one in names}

    @lru_cache(maxsize=200)
    def named(text: str) -> IntEnum | None:
        return known.get(re.sub(r"[\s_-]+", "", fold(text)))

    def read(text: str, _: CellFormat) -> IntEnum:
        found = named(text)
        if found is None:
            raise CellError(f"“{text}” is none of {', '.join(one.name for one in names)}.")
        return found

    return read


def parse_words(text: str, _: CellFormat) -> str:
    return text


def parse_several(text: str, _: CellFormat) -> list[str]:
    return cells.split_values(text)


# What the given input holds under which name.
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


def parse_custom_value(field: Any, text: str, habits: CellFormat) -> Any:
    """The JSON value of a custom field. Raises Wrong."""
    kind = CustomFieldType(field.type)
    if kind is CustomFieldType.NUMBER:
        return float(parse_number(text))
    if kind is CustomFieldType.BOOLEAN:
        return parse_boolean(text, habits)
    if kind is CustomFieldType.DATE:
        return parse_date(text, habits)
    if kind is CustomFieldType.DATE_TIME:
        return parse_moment(text, habits)
    if kind is CustomFieldType.SELECT:
        return _option(field, text)
    return [_option(field, one) for one in cells.split_values(text)] if kind is CustomFieldType.MULTI_SELECT else text


def _option(field: Any, text: str) -> str:
    """The option as it is spelled, where the cell spells it with other cases or accents."""
    if normalize(text) in field.options:
        return text
    alike = [one for one in field.options if fold(one) == fold(text)]
    return alike[0] if len(alike) == 1 else text
