"""Companies of some customers: known brands in real cities first, then generated names."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from crm.seeding import log_values
from crm.seeding.custom_fields import INDUSTRIES
from crm.seeding.locales import WEIGHTED
from crm.seeding.locales.locale import City, Locale
from crm.seeding.plan import SeedAgent, SeedCompany
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.values.folding import fold

_MIN_COMPANIES, _MAX_COMPANIES = 8, 5_000
_CUSTOMERS_PER_COMPANY = 50
_BRANDED_COMPANIES = 40
_DOMAIN_TRANSLATION = str.maketrans({" ": "-", "&": "-", ".": "-", "'": "", ",": ""})


class _Company(NamedTuple):
    id: bytes
    moment: int
    locale: Locale
    city: City
    name: str
    domain: str
    owner_id: bytes | None


def add_companies(
    rows: ChunkRows,
    source: RandomSource,
    moment: int,
    *,
    seed: int,
    customers: int,
    agents_by_country: Mapping[str, tuple[SeedAgent, ...]],
    fields: Mapping[str, bytes],
) -> Mapping[str, tuple[SeedCompany, ...]]:
    """Adds one company for about fifty customers; returns them by country, the largest first."""
    companies_by_country: defaultdict[str, list[SeedCompany]] = defaultdict(list)
    domains: set[str] = set()
    for number in range(min(_MAX_COMPANIES, max(_MIN_COMPANIES, customers // _CUSTOMERS_PER_COMPANY))):
        locale = WEIGHTED[number % len(WEIGHTED)]
        city = source.pick_early(locale.cities)
        name = _company_name(source, locale, city, number)
        created_at = moment + number
        owner_id = source.pick(agents_by_country[locale.country]).agent_id if source.chance(0.4) else None
        company = _Company(
            source.record_id(created_at), created_at, locale, city, name, _unique_domain(name, domains, seed), owner_id
        )
        logged_fields = _add_values(rows, source, company, fields, f"{seed}{number:06}")
        _add_company(rows, source, company, logged_fields)
        companies_by_country[locale.country].append(SeedCompany(company.id, fold(name), company.domain))
    return {country: tuple(companies) for country, companies in companies_by_country.items()}


def _company_name(source: RandomSource, locale: Locale, city: City, number: int) -> str:
    """The name of the company. The first is always Samsung Đà Nẵng, for the example filter "customers of Samsung in Đà
    Nẵng"."""
    if number == 0:
        return f"{locale.brands[0]} Đà Nẵng"
    if number < _BRANDED_COMPANIES or source.chance(0.05):
        return f"{source.pick(locale.brands)} {city.name}"
    trade = source.pick(locale.trades)
    return source.pick(locale.company_patterns).format(trade if source.chance(0.5) else f"{trade} {city.name}")


def _unique_domain(name: str, domains: set[str], seed: int) -> str:
    """A domain that is unique in the workspace; nobody can own .example domains."""
    slug = "-".join(part for part in fold(name).translate(_DOMAIN_TRANSLATION).split("-") if part)
    slug += f"-s{seed}" if seed != 1 else ""
    domain, number = f"{slug}.example", 1
    while domain in domains:
        number += 1
        domain = f"{slug}-{number}.example"
    domains.add(domain)
    return domain


def _add_values(
    rows: ChunkRows, source: RandomSource, company: _Company, fields: Mapping[str, bytes], number: str
) -> list[tuple[str, object]]:
    """Adds custom values and an external id to some companies; returns their log fields."""
    logged_fields: list[tuple[str, object]] = []

    def add(key: str, logged_value: object, text: str | None, count: float | None, option: str | None) -> None:
        folded = fold(text) if text else None
        text_key = fold(option) if option else folded
        rows.rows_of(tables.CompanyValue).append(
            (rows.workspace_id, company.id, fields[key], 0, text, text_key, folded, count, None, None, None, option,
             folded)
        )  # fmt: skip
        logged_fields.append((f"custom.{key}", logged_value))

    if "tax_number" in fields and source.chance(0.7):
        add("tax_number", f"TAX-{number}", f"TAX-{number}", None, None)
    if "employees" in fields and source.chance(0.6):
        count = int(source.lognormal(4, 1.5)) + 1
        add("employees", count, None, float(count), None)
    if "industry" in fields and source.chance(0.8):
        option = source.pick(INDUSTRIES)
        add("industry", option, None, None, option)
    if source.chance(0.2):
        rows.rows_of(tables.CompanyExternalId).append((rows.workspace_id, "erp", f"C{number}", company.id))
        logged_fields.append(("externalId.erp", f"C{number}"))
    return logged_fields


def _add_company(
    rows: ChunkRows, source: RandomSource, company: _Company, logged_fields: list[tuple[str, object]]
) -> None:
    locale, city, number = company.locale, company.city, source.integer_between(1, 300)
    street = source.pick(locale.streets)
    line1 = f"{number} {street}" if locale.number_first else f"{street} {number}"
    phone = source.phone_number(source.pick(locale.landlines), locale.landline_length)
    rows.rows_of(tables.Company).append(
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
        ("owner", log_values.agent_wire_id(company.owner_id)),
        *logged_fields,
    )
    rows.log_created("Company", company.id, company.moment, fields)
