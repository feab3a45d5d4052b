"""What inputs name: tags, agents, companies, customers, looked up for many inputs at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db.queries.catalogue import agents, companies, tags
from db.queries.customers import customers
from db.values import wire_format
from db.values.folding import fold, fold_case, normalize

CustomerReference = Mapping[str, Any]
"""A reference as it was given: one key, such as {"id": "agt_…"} or {"email": "anna@example.com"}."""


@dataclass(slots=True)
class References:
    """Everything that the inputs of an act name, under its ids and its other names."""

    tags: dict[bytes, Any] = field(default_factory=dict)
    tags_by_name: dict[tuple[int, str], Any] = field(default_factory=dict)
    agents: dict[bytes, Any] = field(default_factory=dict)
    agents_by_email: dict[str, Any] = field(default_factory=dict)
    companies: dict[bytes, Any] = field(default_factory=dict)
    companies_by_domain: dict[str, Any] = field(default_factory=dict)
    companies_by_external_id: dict[tuple[str, str], Any] = field(default_factory=dict)

    def agent(self, named: CustomerReference, path: Path) -> Any:
        """Raises InputError NOT_FOUND."""
        if "id" in named:
            found = self.agents.get(wire_format.decode_id("Agent", named["id"]) or b"")
        else:
            found = self.agents_by_email.get(fold(named["email"]))
        if found is None:
            raise InputError(ErrorCode.NOT_FOUND, f"There is no agent “{_name(named)}” here.", path)
        return found

    def company(self, named: CustomerReference, path: Path) -> Any:
        """Raises InputError NOT_FOUND."""
        if "id" in named:
            found = self.companies.get(wire_format.decode_id("Company", named["id"]) or b"")
        elif "domain" in named:
            found = self.companies_by_domain.get(fold(named["domain"]))
        else:
            found = self.companies_by_external_id.get(_pair(named["external_id"]))
        if found is None:
            raise InputError(ErrorCode.NOT_FOUND, f"There is no company “{_name(named)}” here.", path)
        return found


async def load_tags(unit: UnitOfWork, references: References, named: Iterable[CustomerReference]) -> None:
    """Looks them up, in one statement."""
    each = list(named)
    ids = _ids("Tag", each)
    keys = list({fold_case(one["name"]) for one in each if one.get("name")})
    if not ids and not keys:
        return
    for tag in await tags.ids_by_name(unit.transaction, ids, keys):
        references.tags[tag.id] = tag
        references.tags_by_name[tag.kind, tag.unique_key] = tag


async def load_agents(unit: UnitOfWork, references: References, named: Iterable[CustomerReference]) -> None:
    """Looks them up, in one statement."""
    each = list(named)
    ids = _ids("Agent", each)
    keys = list({fold(one["email"]) for one in each if "email" in one})
    if not ids and not keys:
        return
    for agent in await agents.ids_by_email(unit.transaction, ids, keys):
        references.agents[agent.id] = agent
        references.agents_by_email[agent.email_key] = agent


async def load_companies(unit: UnitOfWork, references: References, named: Iterable[CustomerReference]) -> None:
    """Looks them up, in one statement, or two where some are named by external ids."""
    each = list(named)
    ids = _ids("Company", each)
    keys = list({fold(one["domain"]) for one in each if "domain" in one})
    pairs = list({_pair(one["external_id"]) for one in each if "external_id" in one})
    holders = await companies.ids_by_external_id(unit.transaction, pairs) if pairs else {}
    wanted = list({*ids, *holders.values()})
    if not wanted and not keys:
        return
    for company in await companies.id_by_name(unit.transaction, wanted, keys):
        references.companies[company.id] = company
        if company.domain_key is not None:
            references.companies_by_domain[company.domain_key] = company
    for pair, identifier in holders.items():
        if identifier in references.companies:
            references.companies_by_external_id[pair] = references.companies[identifier]


async def find_customer(unit: UnitOfWork, named: CustomerReference, path: Path = ("by",)) -> bytes | None:
    """The id of the customer in sight that is named; None where there is none. Raises InputError AMBIGUOUS."""
    if "id" in named:
        return wire_format.decode_id("Customer", named["id"])
    if "external_id" in named:
        system, value = _pair(named["external_id"])
        found = await customers.by_external_id(unit.transaction, system, value, unit.viewer.visibility)
        return found.id if found else None
    several = await customers.by_email(unit.transaction, fold(named["email"]), unit.viewer.visibility)
    if len(several) > 1:
        message = f"More than one customer has the address {named['email']}; name one by id."
        raise InputError(ErrorCode.AMBIGUOUS, message, path)
    return several[0].id if several else None


async def find_company(unit: UnitOfWork, named: CustomerReference) -> bytes | None:
    """The id of the company that is named; None where there is none."""
    references = References()
    await load_companies(unit, references, [named])
    try:
        found: bytes = references.company(named, ()).id
    except InputError:
        return None
    return found


def read_external_id(given: Mapping[str, str], path: Path) -> tuple[str, str]:
    """The system and the id there, as they are kept. Raises InputError BLANK, TOO_LONG."""
    system = text_values.read_required_text(
        given["system"], (*path, "system"), "the name of the other system", longest=text_values.MAX_WORD_LENGTH
    )
    return system, text_values.read_required_text(given["value"], (*path, "value"), "the id in the other system")


def customer_not_found(named: CustomerReference, path: Path = ("by",)) -> InputError:
    """The refusal where no customer in sight is named so."""
    return InputError(ErrorCode.NOT_FOUND, f"There is no customer “{_name(named)}” here.", path)


def _ids(kind: str, named: Sequence[CustomerReference]) -> list[bytes]:
    parsed = {wire_format.decode_id(kind, one["id"]) for one in named if one.get("id")}
    return [identifier for identifier in parsed if identifier is not None]


def _pair(named: Mapping[str, str]) -> tuple[str, str]:
    return normalize(named["system"]), normalize(named["value"])


def _name(named: CustomerReference) -> str:
    value = next(iter(named.values()))
    return f"{value['system']}: {value['value']}" if isinstance(value, Mapping) else str(value)
