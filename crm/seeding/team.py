"""Departments in a tree, and the agents who work in them. None of these agents can sign in: they have no password."""

from collections import defaultdict
from collections.abc import Mapping

from crm.seeding import log_values
from crm.seeding.locales import LOCALES
from crm.seeding.locales.locale import Locale
from crm.seeding.plan import Seat
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables
from db.tables.enums import Role
from db.values.folding import fold

# Which one it is under, its name, and the country whose customers it looks after.
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
_FEWEST, _MOST = 12, 40
_CUSTOMERS_EACH = 40_000
_IN_ADDRESS = str.maketrans({" ": "", "'": ""})

Departments = Mapping[str | None, tuple[bytes, ...]]


def departments(rows: Rows, dice: Dice, moment: int) -> Departments:
    """Adds the tree; returns its departments by country, the one above the others first."""
    made: dict[str | None, bytes] = {}
    found: defaultdict[str | None, list[bytes]] = defaultdict(list)
    for above, name, country in _DEPARTMENTS:
        identifier = made[name] = dice.id(moment)
        found[country].append(identifier)
        rows.of(tables.Department).append(
            (rows.workspace_id, identifier, moment, name, fold(name), made.get(above)),
        )
        fields = (("name", name), ("parent", log_values.department(made.get(above))))
        rows.made("Department", identifier, moment, fields)
    return {country: tuple(ids) for country, ids in found.items()}


def agents(
    rows: Rows, dice: Dice, moment: int, *, customers: int, server_wide: str, departments: Departments
) -> Mapping[str, tuple[Seat, ...]]:
    """Adds the agents; returns the active ones by country, the busy ones first.

    No two workspaces of a server may share an agent's id or address: `server_wide` tells them apart, a domain.
    """
    maker = Dice(server_wide)
    seats: defaultdict[str, list[Seat]] = defaultdict(list)
    taken: set[str] = set()
    for place in range(min(_MOST, _FEWEST + customers // _CUSTOMERS_EACH)):
        locale = LOCALES[place % len(LOCALES)]
        # The first of each country leads it; one of the others has left and looks after nobody.
        leads, active = place < len(LOCALES), place != _FEWEST - 1
        role = Role.MANAGER if leads else Role.AGENT
        name, box = _name(dice, locale, taken)
        identifier = maker.id(moment)
        _add(rows, identifier, moment, name, f"{box}@{server_wide}", active, role)
        works_in = _works_in(departments, locale, place)
        for position, department in enumerate(works_in):
            rows.of(tables.AgentDepartment).append((rows.workspace_id, identifier, department, position))
        if active:
            seats[locale.country].insert(0, Seat(identifier, works_in[0]))
    return {country: tuple(found) for country, found in seats.items()}


def _works_in(departments: Departments, locale: Locale, place: int) -> list[bytes]:
    """Leaders above, the others below in turn; one of five cares for customers of every country besides."""
    here = departments[locale.country]
    below = here[1:] or here
    found = [here[0] if place < len(LOCALES) else below[place // len(LOCALES) % len(below)]]
    return found + list(departments[None][-1:]) if place % 5 == 0 else found


def _add(rows: Rows, identifier: bytes, moment: int, name: str, email: str, active: bool, role: Role) -> None:
    rows.of(tables.Agent).append(
        (rows.workspace_id, identifier, moment, moment, 1, name, fold(name), email, email, active, role.value)
    )
    # An address is taken on the whole server, with or without a password.
    rows.of(tables.Account).append((identifier, rows.workspace_id, email))
    fields = (("name", name), ("email", email), ("active", active), ("role", role.name))
    rows.made("Agent", identifier, moment, fields)


def _name(dice: Dice, locale: Locale, taken: set[str]) -> tuple[str, str]:
    """A name that no other agent has, and what stands before the @ of its address."""
    while True:
        given = dice.pick(locale.women if dice.chance(0.55) else locale.men)
        family = dice.early(locale.families)
        box = fold(f"{given}.{family}").translate(_IN_ADDRESS)
        if box not in taken:
            taken.add(box)
            return (f"{family} {given}" if locale.family_first else f"{given} {family}"), box
