"""Telephone numbers in E.164 as phonenumbers judges them: at length where it must, else by what it knows of a kind."""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

_INTERNATIONAL: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def to_e164(given: str, country: str | None) -> str | None:
    """The number; without its country's code it is taken as one of `country`. None where it can be no number."""
    if _INTERNATIONAL.fullmatch(given) and _stands(given):
        return given
    try:
        parsed = phonenumbers.parse(given, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _stands(given: str) -> bool:
    """Whether the number is in E.164 as it is: its country's, as long as numbers are there, and without what people
    dial before a number at home. To parse it would say the same, in fifty times as long."""
    code = next((length for length in (1, 2, 3) if int(given[1 : 1 + length]) in COUNTRY_CODE_TO_REGION_CODE), 0)
    if not code:
        return False
    country, national = int(given[1 : 1 + code]), given[1 + code :]
    prefix = _dialled_before(country)
    return (
        national[0] != "0" and not (prefix is not None and prefix.match(national)) and _possible(country, len(national))
    )


@lru_cache(maxsize=300)
def _dialled_before(country: int) -> re.Pattern[str] | None:
    region = phonenumbers.region_code_for_country_code(country)
    known = PhoneMetadata.metadata_for_region_or_calling_code(country, region)
    prefix = known.national_prefix_for_parsing if known else None
    return re.compile(prefix) if prefix else None


@lru_cache(maxsize=3_000)
def _possible(country: int, length: int) -> bool:
    """Whether numbers of that length are, which is all that is asked of a possible number."""
    return phonenumbers.is_possible_number(PhoneNumber(country_code=country, national_number=10 ** (length - 1)))
