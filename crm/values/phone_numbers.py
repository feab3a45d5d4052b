"""Phone numbers in E.164. Numbers in international form are checked against cached metadata; phonenumbers parses all
others."""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

_INTERNATIONAL: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def to_e164(text: str, country: str | None) -> str | None:
    """The number in E.164. A number without a country code belongs to `country`. None if it cannot be a phone
    number."""
    if _INTERNATIONAL.fullmatch(text) and _is_e164(text):
        return text
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _is_e164(number: str) -> bool:
    """Whether the number already is in E.164: the country code exists, the length is possible and there is no national
    prefix. Parsing gives the same result but takes fifty times as long."""
    code_length = next(
        (length for length in (1, 2, 3) if int(number[1 : 1 + length]) in COUNTRY_CODE_TO_REGION_CODE), 0
    )
    if not code_length:
        return False
    country, national = int(number[1 : 1 + code_length]), number[1 + code_length :]
    prefix = _national_prefix(country)
    return (
        national[0] != "0"
        and not (prefix is not None and prefix.match(national))
        and _is_possible_length(country, len(national))
    )


@lru_cache(maxsize=300)
def _national_prefix(country: int) -> re.Pattern[str] | None:
    region = phonenumbers.region_code_for_country_code(country)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country, region)
    prefix = metadata.national_prefix_for_parsing if metadata else None
    return re.compile(prefix) if prefix else None


@lru_cache(maxsize=3_000)
def _is_possible_length(country: int, length: int) -> bool:
    """Whether the country has numbers of that length. phonenumbers checks nothing else for a possible number."""
    return phonenumbers.is_possible_number(PhoneNumber(country_code=country, national_number=10 ** (length - 1)))
