"""References in inputs to tags, agents, companies and customers, loaded for many inputs at once."""

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
"""A reference as given: one key, such as {"id": "agt_…"} or {"email": "anna@example.com"}."""


@dataclass(slots=True)
class References:
    """The records that the inputs of a unit of work refer to, by id and by their other keys."""

    tags: dict[bytes, Any] = field(default_factory=dict)
    tags_by_name: dict[tuple[int, str], Any] = field(default_factory=dict)
    agents: dict[bytes, Any] = field(default_factory=dict)
    agents_by_email: dict[str, Any] = field(default_factory=dict)
    companies: dict[bytes, Any] = field(default_factory=dict)
    companies_by_domain: dict[str, Any] = field(default_factory=dict)
    companies_by_external_id: dict[tuple[str, str], Any] = field(default_factory=dict)

    def agent(self, reference: CustomerReference, path: Path) -> Any:
        """The referenced record. Raises InputError NOT_FOUND."""
        if "id" in reference:
            match = self.agents.get(wire_format.decode_id("Agent", reference["id"]) or b"")
        else:
            match = self.agents_by_email.get(fold(reference["email"]))
        if match is None:
            raise InputError(
                ErrorCode.NOT_FOUND, f"There is no agent “{_reference_text(reference)}” in this workspace.", path
            )
        return match

    def company(self, reference: CustomerReference, path: Path) -> Any:
        """The referenced record. Raises InputError NOT_FOUND."""
        if "id" in reference:
            match = self.companies.get(wire_format.decode_id("Company", reference["id"]) or b"")
        elif "domain" in reference:
            match = self.companies_by_domain.get(fold(reference["domain"]))
        else:
            match = self.companies_by_external_id.get(_external_id_key(reference["external_id"]))
        if match is None:
            raise InputError(
                ErrorCode.NOT_FOUND, f"There is no company “{_reference_text(reference)}” in this workspace.", path
            )
        return match


async def load_tags(unit: UnitOfWork, references: References, lookups: Iterable[CustomerReference]) -> None:
    """Loads the referenced records with one statement."""
    reference_list = list(lookups)
    ids = _decode_ids("Tag", reference_list)
    keys = list({fold_case(reference["name"]) for reference in reference_list if reference.get("name")})
    if not ids and not keys:
        return
    for tag in await tags.ids_by_name(unit.transaction, ids, keys):
        references.tags[tag.id] = tag
        references.tags_by_name[tag.kind, tag.unique_key] = tag


async def load_agents(unit: UnitOfWork, references: References, lookups: Iterable[CustomerReference]) -> None:
    """Loads the referenced records with one statement."""
    reference_list = list(lookups)
    ids = _decode_ids("Agent", reference_list)
    keys = list({fold(reference["email"]) for reference in reference_list if "email" in reference})
    if not ids and not keys:
        return
    for agent in await agents.ids_by_email(unit.transaction, ids, keys):
        references.agents[agent.id] = agent
        references.agents_by_email[agent.email_key] = agent


async def load_companies(unit: UnitOfWork, references: References, lookups: Iterable[CustomerReference]) -> None:
    """Loads the referenced companies with one statement, or two if some are given by external id."""
    reference_list = list(lookups)
    ids = _decode_ids("Company", reference_list)
    keys = list({fold(reference["domain"]) for reference in reference_list if "domain" in reference})
    pairs = list(
        {_external_id_key(reference["external_id"]) for reference in reference_list if "external_id" in reference}
    )
    holders = await companies.ids_by_external_id(unit.transaction, pairs) if pairs else {}
    company_ids = list({*ids, *holders.values()})
    if not company_ids and not keys:
        return
    for company in await companies.id_by_name(unit.transaction, company_ids, keys):
        references.companies[company.id] = company
        if company.domain_key is not None:
            references.companies_by_domain[company.domain_key] = company
    for pair, identifier in holders.items():
        if identifier in references.companies:
            references.companies_by_external_id[pair] = references.companies[identifier]


async def find_customer(unit: UnitOfWork, reference: CustomerReference, path: Path = ("by",)) -> bytes | None:
    """The id of the referenced visible customer; None if there is none. Raises InputError AMBIGUOUS."""
    if "id" in reference:
        return wire_format.decode_id("Customer", reference["id"])
    if "external_id" in reference:
        system, value = _external_id_key(reference["external_id"])
        customer = await customers.by_external_id(unit.transaction, system, value, unit.viewer.visibility)
        return customer.id if customer else None
    matches = await customers.by_email(unit.transaction, fold(reference["email"]), unit.viewer.visibility)
    if len(matches) > 1:
        message = f"More than one customer has the email address {reference['email']}; select one of them by id."
        raise InputError(ErrorCode.AMBIGUOUS, message, path)
    return matches[0].id if matches else None


async def find_company(unit: UnitOfWork, reference: CustomerReference) -> bytes | None:
    """The id of the referenced company; None if there is none."""
    references = References()
    await load_companies(unit, references, [reference])
    try:
        company_id: bytes = references.company(reference, ()).id
    except InputError:
        return None
    return company_id


def read_external_id(data: Mapping[str, str], path: Path) -> tuple[str, str]:
    """The system and the id to store. Raises InputError BLANK, TOO_LONG."""
    system = text_values.read_required_text(
        data["system"], (*path, "system"), "the name of the other system", max_length=text_values.MAX_WORD_LENGTH
    )
    return system, text_values.read_required_text(data["value"], (*path, "value"), "the id in the other system")


def customer_not_found(reference: CustomerReference, path: Path = ("by",)) -> InputError:
    """The error if no visible customer matches the reference."""
    return InputError(
        ErrorCode.NOT_FOUND, f"There is no customer “{_reference_text(reference)}” in this workspace.", path
    )


def _decode_ids(kind: str, reference_list: Sequence[CustomerReference]) -> list[bytes]:
    identifiers = {wire_format.decode_id(kind, reference["id"]) for reference in reference_list if reference.get("id")}
    return [identifier for identifier in identifiers if identifier is not None]


def _external_id_key(external_id: Mapping[str, str]) -> tuple[str, str]:
    return normalize(external_id["system"]), normalize(external_id["value"])


def _reference_text(reference: CustomerReference) -> str:
    value = next(iter(reference.values()))
    return f"{value['system']}: {value['value']}" if isinstance(value, Mapping) else str(value)
