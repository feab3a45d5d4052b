"""What a language needs to make up customers. In every list the frequent ones come first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    name: str
    region: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Locale:
    """`mobiles` and `landlines` are prefixes in E.164, each followed by that many free digits.

    `called` are nicknames of women and of men, `displayed` names as people write them in a chat application.
    `typical` is the middle of what one purchase costs, in `currency`; `step` what prices are rounded to, in its
    ten-thousandths.
    """

    country: str
    currency: str
    typical: int
    step: int
    families: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    women_middle: tuple[str, ...]
    men_middle: tuple[str, ...]
    family_first: bool
    mononyms: float
    women_called: tuple[str, ...]
    men_called: tuple[str, ...]
    displayed: tuple[str, ...]
    mobiles: tuple[str, ...]
    mobile_length: int
    landlines: tuple[str, ...]
    landline_length: int
    cities: tuple[City, ...]
    streets: tuple[str, ...]
    number_first: bool
    mail: tuple[str, ...]
    shops: tuple[str, ...]
    brands: tuple[str, ...]
    firms: tuple[str, ...]
    trades: tuple[str, ...]
    happened: tuple[str, ...]
    about: tuple[str, ...]
    next_step: tuple[str, ...]


def words(text: str) -> tuple[str, ...]:
    """A list as it is easiest to read and to mend."""
    return tuple(text.split())


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def prefixes(code: str, text: str) -> tuple[str, ...]:
    return tuple(code + prefix for prefix in text.split())


def cities(text: str) -> tuple[City, ...]:
    """One city a line: its name, its region, a postal code of it."""
    return tuple(City(*(part.strip() for part in line.split("|"))) for line in lines(text))
