"""The data that a language needs for generated customers. Every list starts with the frequent values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    name: str
    region: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Locale:
    """`mobiles` and `landlines` are prefixes in E.164; the lengths are those of the whole numbers.

    `display_names` are names as people write them in a chat application. `typical_price` is the median price of a
    purchase in `currency`. `price_step` is the unit to which prices are rounded, in ten-thousandths."""

    country: str
    currency: str
    typical_price: int
    price_step: int
    families: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    women_middle: tuple[str, ...]
    men_middle: tuple[str, ...]
    family_first: bool
    mononyms: float
    women_nicknames: tuple[str, ...]
    men_nicknames: tuple[str, ...]
    display_names: tuple[str, ...]
    mobiles: tuple[str, ...]
    mobile_length: int
    landlines: tuple[str, ...]
    landline_length: int
    cities: tuple[City, ...]
    streets: tuple[str, ...]
    number_first: bool
    mail_domains: tuple[str, ...]
    shops: tuple[str, ...]
    brands: tuple[str, ...]
    company_patterns: tuple[str, ...]
    trades: tuple[str, ...]
    note_events: tuple[str, ...]
    note_subjects: tuple[str, ...]
    note_next_steps: tuple[str, ...]


def split_words(text: str) -> tuple[str, ...]:
    """Splits a text into words, which is the most readable form of a list."""
    return tuple(text.split())


def split_lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def phone_prefixes(code: str, text: str) -> tuple[str, ...]:
    return tuple(code + prefix for prefix in text.split())


def parse_cities(text: str) -> tuple[City, ...]:
    """Parses one city per line: its name, its region and one of its postal codes."""
    return tuple(City(*(part.strip() for part in line.split("|"))) for line in split_lines(text))
