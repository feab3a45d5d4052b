"""Departments in a tree, and their agents. None of these agents can sign in, because they have no password."""

from collections import defaultdict
from collections.abc import Mapping

from crm.seeding import log_values
from crm.seeding.locales import LOCALES
from crm.seeding.locales.locale import Locale
from crm.seeding.plan import SeedAgent
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.tables.enums import Role
from db.values.folding import fold

# The parent, the name, and the country whose customers the department looks after.
_DEPARTMENTS = (
    (None, "Sales", None),
    (None, "Customer Care", None),
    ("Sales", "Việt Nam", "VN"),
    ("Việt Nam", "Hà Nội", "VN"),
    ("Việt Nam", "Đà Nẵng", "VN"),
    ("Việt Nam", "TP. Hồ Chí Minh", "VN"),
    ("Sales", "Italia", "IT"),
    ("Italia", "Milano", "IT"),
    ("Italia", "Roma", "IT"),
    ("Sales", "Indonesia", "ID"),
    ("Indonesia", "Jakarta", "ID"),
    ("Sales", "United Kingdom", "GB"),
)
_MIN_AGENTS, _MAX_AGENTS = 12, 40
_CUSTOMERS_PER_AGENT = 40_000
_ADDRESS_TRANSLATION = str.maketrans({" ": "", "'": ""})

DepartmentsByCountry = Mapping[str | None, tuple[bytes, ...]]


def add_departments(rows: ChunkRows, source: RandomSource, created_at: int) -> DepartmentsByCountry:
    """Adds the tree; returns the departments by country, each parent before its children."""
    ids_by_name: dict[str | None, bytes] = {}
    ids_by_country: defaultdict[str | None, list[bytes]] = defaultdict(list)
    for parent, name, country in _DEPARTMENTS:
        identifier = ids_by_name[name] = source.record_id(created_at)
        ids_by_country[country].append(identifier)
        rows.rows_of(tables.Department).append(
            (rows.workspace_id, identifier, created_at, name, fold(name), ids_by_name.get(parent)),
        )
        fields = (("name", name), ("parent", log_values.department_wire_id(ids_by_name.get(parent))))
        rows.log_created("Department", identifier, created_at, fields)
    return {country: tuple(ids) for country, ids in ids_by_country.items()}


def add_agents(
    rows: ChunkRows,
    source: RandomSource,
    created_at: int,
    *,
    customers: int,
    server_wide: str,
    departments: DepartmentsByCountry,
) -> Mapping[str, tuple[SeedAgent, ...]]:
    """Adds the agents; returns the active ones by country, the busiest first.

    Agent ids and email addresses must be unique on a server. `server_wide` is a domain that differs between
    workspaces."""
    id_source = RandomSource(server_wide)
    agents_by_country: defaultdict[str, list[SeedAgent]] = defaultdict(list)
    taken_addresses: set[str] = set()
    for number in range(min(_MAX_AGENTS, _MIN_AGENTS + customers // _CUSTOMERS_PER_AGENT)):
        locale = LOCALES[number % len(LOCALES)]
        # The first agent of each country is its manager; one of the others has left and owns no customers.
        is_manager, active = number < len(LOCALES), number != _MIN_AGENTS - 1
        role = Role.MANAGER if is_manager else Role.AGENT
        name, local_part = _unique_name(source, locale, taken_addresses)
        identifier = id_source.record_id(created_at)
        _add_agent(rows, identifier, created_at, name, f"{local_part}@{server_wide}", active, role)
        departments_of_agent = _departments_of(departments, locale, number)
        for position, department in enumerate(departments_of_agent):
            rows.rows_of(tables.AgentDepartment).append((rows.workspace_id, identifier, department, position))
        if active:
            agents_by_country[locale.country].insert(0, SeedAgent(identifier, departments_of_agent[0]))
    return {country: tuple(agents) for country, agents in agents_by_country.items()}


def _departments_of(departments: DepartmentsByCountry, locale: Locale, number: int) -> list[bytes]:
    """Managers are in the parent department, the others take turns in its children. Every fifth agent also works in
    Customer Care."""
    country_departments = departments[locale.country]
    children = country_departments[1:] or country_departments
    result = [country_departments[0] if number < len(LOCALES) else children[number // len(LOCALES) % len(children)]]
    return result + list(departments[None][-1:]) if number % 5 == 0 else result


def _add_agent(
    rows: ChunkRows, identifier: bytes, created_at: int, name: str, email: str, active: bool, role: Role
) -> None:
    rows.rows_of(tables.Agent).append(
        (rows.workspace_id, identifier, created_at, created_at, 1, name, fold(name), email, email, active, role.value)
    )
    # An email address is unique on the server, with or without a password.
    rows.rows_of(tables.Account).append((identifier, rows.workspace_id, email))
    fields = (("name", name), ("email", email), ("active", active), ("role", role.name))
    rows.log_created("Agent", identifier, created_at, fields)


def _unique_name(source: RandomSource, locale: Locale, taken_addresses: set[str]) -> tuple[str, str]:
    """A name that no other agent has, and the local part of the email address."""
    while True:
        given_name = source.pick(locale.women if source.chance(0.55) else locale.men)
        family = source.pick_early(locale.families)
        local_part = fold(f"{given_name}.{family}").translate(_ADDRESS_TRANSLATION)
        if local_part not in taken_addresses:
            taken_addresses.add(local_part)
            return (f"{family} {given_name}" if locale.family_first else f"{given_name} {family}"), local_part
