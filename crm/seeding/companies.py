"""Companies that some customers belong to: well-known names in real cities first, then made-up ones."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from crm.seeding import log_values
from crm.seeding.custom_fields import INDUSTRIES
from crm.seeding.locales import WEIGHTED
from crm.seeding.locales.locale import City, Locale
from crm.seeding.plan import Employer, Seat
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables
from db.values.folding import fold

_FEWEST, _MOST = 8, 5_000
_CUSTOMERS_EACH = 50
_WELL_KNOWN = 40
_IN_DOMAIN = str.maketrans({" ": "-", "&": "-", ".": "-", "'": "", ",": ""})


class _Company(NamedTuple):
    id: bytes
    moment: int
    locale: Locale
    city: City
    name: str
    domain: str
    owner_id: bytes | None


def companies(
    rows: Rows,
    dice: Dice,
    moment: int,
    *,
    seed: int,
    customers: int,
    seats: Mapping[str, tuple[Seat, ...]],
    fields: Mapping[str, bytes],
) -> Mapping[str, tuple[Employer, ...]]:
    """Adds one for about fifty customers; returns them by country, the big ones first."""
    found: defaultdict[str, list[Employer]] = defaultdict(list)
    domains: set[str] = set()
    for place in range(min(_MOST, max(_FEWEST, customers // _CUSTOMERS_EACH))):
        locale = WEIGHTED[place % len(WEIGHTED)]
        city = dice.early(locale.cities)
        name = _name(dice, locale, city, place)
        at = moment + place
        owner = dice.pick(seats[locale.country]).agent_id if dice.chance(0.4) else None
        company = _Company(dice.id(at), at, locale, city, name, _domain(name, domains, seed), owner)
        told = _values(rows, dice, company, fields, f"{seed}{place:06}")
        _add(rows, dice, company, told)
        found[locale.country].append(Employer(company.id, fold(name), company.domain))
    return {country: tuple(those) for country, those in found.items()}


def _name(dice: Dice, locale: Locale, city: City, place: int) -> str:
    """Samsung Đà Nẵng is always there: "customers of Samsung in Đà Nẵng" is everybody's first filter."""
    if place == 0:
        return f"{locale.brands[0]} Đà Nẵng"
    if place < _WELL_KNOWN or dice.chance(0.05):
        return f"{dice.pick(locale.brands)} {city.name}"
    trade = dice.pick(locale.trades)
    return dice.pick(locale.firms).format(trade if dice.chance(0.5) else f"{trade} {city.name}")


def _domain(name: str, domains: set[str], seed: int) -> str:
    """Unique in the workspace; .example is nobody's."""
    slug = "-".join(part for part in fold(name).translate(_IN_DOMAIN).split("-") if part)
    slug += f"-s{seed}" if seed != 1 else ""
    domain, number = f"{slug}.example", 1
    while domain in domains:
        number += 1
        domain = f"{slug}-{number}.example"
    domains.add(domain)
    return domain


def _values(
    rows: Rows, dice: Dice, company: _Company, fields: Mapping[str, bytes], number: str
) -> list[tuple[str, object]]:
    """Adds custom values and an external id to some; returns what the log tells of them."""
    told: list[tuple[str, object]] = []

    def add(key: str, shown: object, text: str | None, count: float | None, option: str | None) -> None:
        folded = fold(text) if text else None
        sorted_by = fold(option) if option else folded
        rows.of(tables.CompanyValue).append(
            (rows.workspace_id, company.id, fields[key], 0, text, sorted_by, folded, count, None, None, None, option,
             folded)
        )  # fmt: skip
        told.append((f"custom.{key}", shown))

    if "tax_number" in fields and dice.chance(0.7):
        add("tax_number", f"TAX-{number}", f"TAX-{number}", None, None)
    if "employees" in fields and dice.chance(0.6):
        count = int(dice.lognormal(4, 1.5)) + 1
        add("employees", count, None, float(count), None)
    if "industry" in fields and dice.chance(0.8):
        option = dice.pick(INDUSTRIES)
        add("industry", option, None, None, option)
    if dice.chance(0.2):
        rows.of(tables.CompanyExternalId).append((rows.workspace_id, "erp", f"C{number}", company.id))
        told.append(("externalId.erp", f"C{number}"))
    return told


def _add(rows: Rows, dice: Dice, company: _Company, told: list[tuple[str, object]]) -> None:
    locale, city, number = company.locale, company.city, dice.between(1, 300)
    street = dice.pick(locale.streets)
    line1 = f"{number} {street}" if locale.number_first else f"{street} {number}"
    phone = dice.number(dice.pick(locale.landlines), locale.landline_length)
    rows.of(tables.Company).append(
        (rows.workspace_id, company.id, company.moment, company.moment, 1, company.name, fold(company.name),
         company.domain, company.domain, phone, line1, city.name, city.region, city.postal_code, locale.country,
         company.owner_id)
    )  # fmt: skip
    fields = (
        ("name", company.name),
        ("domain", company.domain),
        ("phone", phone),
        ("address.line1", line1),
        ("address.city", city.name),
        ("address.region", city.region),
        ("address.postalCode", city.postal_code),
        ("address.country", locale.country),
        ("owner", log_values.agent(company.owner_id)),
        *told,
    )
    rows.made("Company", company.id, company.moment, fields)
