"""Companies: making, changing and deleting the organisations that customers belong to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm import change_log, record_writes, references
from crm.change_log import ChangeEntry
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED_PARTS
from crm.errors import ConflictError, DuplicateError, ErrorCode, InputError, LimitError, Path, raise_errors
from crm.references import CustomerReference, References
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values, text_values
from crm.values.custom_values import CustomValue
from db import batch_writes, tables
from db.queries.catalogue import companies, custom_fields
from db.queries.customers import customers
from db.rows import Row, copy_row, new_row
from db.tables.enums import ChangeAction, EntityType, Outcome
from db.values import wire_format
from db.values.folding import fold
from db.visibility import Visibility

MAX_EXTERNAL_IDS_PER_COMPANY: Final = 50
"""External ids of one company."""

CompanyData = Mapping[str, Any]

_AGENT = wire_format.id_encoder("Agent")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_ADDRESS: Final = (
    ("line1", "address_line1", "line1"),
    ("line2", "address_line2", "line2"),
    ("city", "city", "city"),
    ("region", "region", "region"),
    ("postal_code", "postal_code", "postalCode"),
    ("country", "country", "country"),
)


@dataclass(frozen=True, slots=True)
class CompanyResult:
    company: Any
    outcome: Outcome


@dataclass(slots=True)
class _State:
    """A company in memory: as it was found, and as it is to be."""

    row: Row
    made: bool
    external_ids: list[tuple[str, str]] = field(default_factory=list)
    values: dict[bytes, CustomValue] = field(default_factory=dict)
    was: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    held: frozenset[tuple[str, str]] = frozenset()
    values_were: Mapping[bytes, CustomValue] = field(default_factory=dict)
    refused: list[InputError] = field(default_factory=list)


def log_snapshot(row: Any) -> Mapping[str, Any]:
    address = {f"address.{name}": getattr(row, column) for _, column, name in _ADDRESS}
    owner = row.owner_id and _AGENT(row.owner_id)
    return {"name": row.name, "domain": row.domain, "phone": row.phone, **address, "owner": owner}


async def create(unit: UnitOfWork, given: CompanyData) -> CompanyResult:
    """Raises InputError and its like."""
    state = _State(new_row(tables.Company, workspace_id=unit.workspace_id, name="", name_key=""), made=True)
    return await _written(unit, state, {"name": None, **given})


async def update(
    unit: UnitOfWork, by: CustomerReference, given: CompanyData, *, if_version: int | None = None
) -> CompanyResult:
    """Raises InputError NOT_FOUND, ConflictError and their like."""
    found = await _one(unit, by)
    if if_version is not None and if_version != found.version:
        raise ConflictError(found)
    return await _written(unit, await _state(unit, found), given)


async def upsert(unit: UnitOfWork, by: CustomerReference, given: CompanyData) -> CompanyResult:
    """Changes the company, or makes one that keeps the reference."""
    if "domain" in by and "domain" not in given:
        given = {**given, "domain": by["domain"]}
    identifier = await references.find_company(unit, by)
    if "external_id" in by and (identifier is None or "external_ids" in given):
        listed = list(given.get("external_ids") or ())
        given = {**given, "external_ids": listed if by["external_id"] in listed else [*listed, by["external_id"]]}
    if identifier is not None:
        return await update(unit, by, given)
    if "id" in by:
        raise company_not_found(by)
    return await create(unit, given)


async def delete(unit: UnitOfWork, by: CustomerReference, *, detach: bool) -> CompanyResult:
    """Where `detach` says so, its customers stay without a company. Raises InputError NOT_FOUND, COMPANY_HAS_CUSTOMERS."""
    found = await _one(unit, by)
    members = await companies.customer_ids_of(unit.transaction, [found.id])
    if members and not detach:
        message = f"{len(members)} customers belong to “{found.name}”; detach them to delete it all the same."
        raise InputError(ErrorCode.COMPANY_HAS_CUSTOMERS, message, ("by",))
    await _customers(unit, members, None)
    await record_writes.delete_record(unit, "Company", found)
    return CompanyResult(found, Outcome.DELETED)


def company_not_found(by: CustomerReference) -> InputError:
    return InputError(ErrorCode.NOT_FOUND, f"There is no company “{next(iter(by.values()))}” here.", ("by",))


async def _one(unit: UnitOfWork, by: CustomerReference) -> Any:
    """Held until the act ends."""
    identifier = await references.find_company(unit, by)
    found = await companies.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in found:
        raise company_not_found(by)
    return found[identifier]


async def _state(unit: UnitOfWork, found: Any) -> _State:
    row = copy_row(found, tables.Company)
    ids = [row.id]
    external = (await companies.external_ids(unit.transaction, ids)).get(row.id, [])
    state = _State(row, made=False, external_ids=[(one.system, one.value) for one in external])
    known = {one.id: one for one in await _fields(unit)}
    each: dict[bytes, list[Any]] = {}
    for value in (await custom_fields.values(unit.transaction, ids, EntityType.COMPANY)).get(row.id, []):
        each.setdefault(value.field_id, []).append(value)
    for field_id, rows in each.items():
        value = custom_values.value_from_rows(known[field_id], rows)
        if value is not None:
            state.values[field_id] = value
    state.columns, state.held, state.values_were = dict(vars(row)), frozenset(state.external_ids), dict(state.values)
    state.was = _told(state, list(known.values()))
    return state


async def _fields(unit: UnitOfWork) -> list[Any]:
    if "company_fields" not in unit.cache:
        found = await custom_fields.by_entities(unit.transaction, [EntityType.COMPANY])
        unit.cache["company_fields"] = found[EntityType.COMPANY]
    known: list[Any] = unit.cache["company_fields"]
    return known


def _told(state: _State, known: Sequence[Any]) -> Mapping[str, Any]:
    custom = {f"custom.{one.key}": custom_values.value_for_log(one, state.values.get(one.id)) for one in known}
    external = change_fields.external_id_fields(state.external_ids)
    return {**log_snapshot(state.row), **external, **custom}


# ── what is given ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _written(unit: UnitOfWork, state: _State, given: CompanyData) -> CompanyResult:
    known = References()
    await references.load_agents(unit, known, [given["owner"]] if given.get("owner") else [])
    country = (await unit.settings()).default_country
    for part in (_name, _domain, _address):
        _try(state, part, state, given)
    if "phone" in given:
        _try(state, _phone, state, given["phone"], country)
    if "owner" in given:
        _try(state, _owner, state, given["owner"], known)
    if "external_ids" in given:
        _try(state, _external_ids, state, given["external_ids"] or [])
    await _values(unit, state, given, country)
    raise_errors(state.refused)
    await _unique(unit, state, given)
    return await _stored(unit, state)


def _try(state: _State, rule: Any, *arguments: Any) -> None:
    try:
        rule(*arguments)
    except InputError as refused:
        state.refused.append(refused)


def _name(state: _State, given: CompanyData) -> None:
    if "name" in given:
        state.row.name = text_values.read_required_text(given["name"], ("input", "name"), "a name")
        state.row.name_key = fold(state.row.name)


def _domain(state: _State, given: CompanyData) -> None:
    if "domain" not in given:
        return
    domain = text_values.read_text(given["domain"], ("input", "domain"), longest=253)
    if domain is not None and not _DOMAIN.fullmatch(fold(domain)):
        message = f"“{domain}” is not a domain; give a name such as example.com."
        raise InputError(ErrorCode.INVALID, message, ("input", "domain"))
    state.row.domain, state.row.domain_key = domain, domain and fold(domain)


def _phone(state: _State, given: str | None, country: str | None) -> None:
    text = text_values.read_text(given, ("input", "phone"))
    state.row.phone = text and text_values.read_phone(text, country, ("input", "phone"))


def _address(state: _State, given: CompanyData) -> None:
    if "address" not in given:
        return
    address = given["address"]
    for key, column, name in _ADDRESS:
        if address is None:
            setattr(state.row, column, None)
        elif key in address:
            path = ("input", "address", name)
            setattr(state.row, column, text_values.read_text(address[key], path, longest=text_values.MAX_LINE_LENGTH))


def _owner(state: _State, given: CustomerReference | None, known: References) -> None:
    state.row.owner_id = given and known.agent(given, ("input", "owner")).id


def _external_ids(state: _State, given: Sequence[Mapping[str, str]]) -> None:
    path = ("input", "externalIds")
    if len(given) > MAX_EXTERNAL_IDS_PER_COMPANY:
        message = f"There is room for {MAX_EXTERNAL_IDS_PER_COMPANY} of them; these are {len(given)}."
        raise LimitError(message, path, limit=MAX_EXTERNAL_IDS_PER_COMPANY, current=len(given))
    state.external_ids = list(
        dict.fromkeys(references.read_external_id(one, (*path, place)) for place, one in enumerate(given))
    )


async def _values(unit: UnitOfWork, state: _State, given: CompanyData, country: str | None) -> None:
    active = {one.key: one for one in await _fields(unit) if one.active}
    named = given.get("custom_fields") or ()
    for place, one in enumerate(named):
        path: Path = ("input", "customFields", place)
        if one["key"] not in active:
            message = f"There is no custom field “{one['key']}” here."
            state.refused.append(InputError(ErrorCode.FIELD_UNKNOWN, message, (*path, "key")))
            continue
        _try(state, _value, state, active[one["key"]], one.get("value"), (*path, "value"), country)
    cleared = "custom_fields" in given and given["custom_fields"] is None
    asked = {one["key"] for one in named}
    for field_ in active.values():
        if cleared:
            _try(state, _value, state, field_, None, ("input", "customFields"), country)
        elif state.made and field_.required and field_.key not in asked:
            message = f"“{field_.label}” is required; give it under the key “{field_.key}”."
            state.refused.append(InputError(ErrorCode.BLANK, message, ("input", "customFields")))


def _value(state: _State, field_: Any, given: Any, path: Path, country: str | None) -> None:
    value = custom_values.read_value(field_, given, path, country=country)
    state.values.pop(field_.id, None)
    if value is not None:
        state.values[field_.id] = value


async def _unique(unit: UnitOfWork, state: _State, given: CompanyData) -> None:
    """Domains, external ids and the values of unique fields belong to one company each."""
    claims: list[tuple[bytes, str, Path]] = []
    if state.row.domain_key is not None and state.row.domain_key != state.columns.get("domain_key"):
        holder = await companies.by_domain(unit.transaction, state.row.domain_key)
        claims += [(holder.id, str(state.row.domain), ("input", "domain"))] if holder else []
    if new := [pair for pair in state.external_ids if pair not in state.held]:
        holders = await companies.ids_by_external_id(unit.transaction, new)
        places = {
            references.read_external_id(one, ()): place for place, one in enumerate(given.get("external_ids") or ())
        }
        claims += [
            (holders[pair], f"{pair[0]}: {pair[1]}", ("input", "externalIds", places[pair], "value"))
            for pair in new
            if pair in holders
        ]
    claims += await _unique_values(unit, state, given)
    taken = [claim for claim in claims if claim[0] != state.row.id]
    found = await companies.by_ids(unit.transaction, [holder for holder, _, _ in taken]) if taken else {}
    raise_errors(
        [
            DuplicateError(f"“{shown}” belongs to “{found[holder].name}” already.", path, existing=found[holder])
            for holder, shown, path in taken
        ]
    )


async def _unique_values(unit: UnitOfWork, state: _State, given: CompanyData) -> list[tuple[bytes, str, Path]]:
    known = {one.key: one for one in await _fields(unit) if one.unique and one.active}
    asked = [
        (known[one["key"]], place)
        for place, one in enumerate(given.get("custom_fields") or ())
        if one["key"] in known and known[one["key"]].id in state.values
    ]
    pairs = {(field_.id, custom_values.unique_key(state.values[field_.id])): place for field_, place in asked}
    holders = await custom_fields.unique_holders(unit.transaction, EntityType.COMPANY, list(pairs)) if pairs else {}
    return [
        (holder, str(state.values[pair[0]]), ("input", "customFields", pairs[pair], "value"))
        for pair, holder in holders.items()
        if pair in pairs
    ]


# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _stored(unit: UnitOfWork, state: _State) -> CompanyResult:
    row, known = state.row, await _fields(unit)
    now = _told(state, known)
    if state.made:
        await unit.transaction.insert(row)
        await _hanging(unit, state, known)
        unit.log.add(
            ChangeEntry(ChangeAction.CREATED, "Company", row.id, row.version, change_log.created_fields_of(now))
        )
        return CompanyResult(row, Outcome.CREATED)
    different = change_log.changed_fields(state.was, now)
    if not different:
        return CompanyResult(row, Outcome.UNCHANGED)
    row.version, row.updated_at = row.version + 1, unit.now
    columns = {name: value for name, value in vars(row).items() if state.columns[name] != value}
    await batch_writes.update_rows(unit.transaction, tables.Company, [(row.id, columns)])
    await _hanging(unit, state, known)
    unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Company", row.id, row.version, different))
    if "name" in columns:
        await _renamed(unit, row)
    return CompanyResult(row, Outcome.UPDATED)


async def _hanging(unit: UnitOfWork, state: _State, known: Sequence[Any]) -> None:
    """External ids and custom values: what is gone is deleted, what is new is added."""
    number, identifier = unit.workspace_id, state.row.id
    gone, new = state.held - set(state.external_ids), [one for one in state.external_ids if one not in state.held]
    await batch_writes.delete_rows(
        unit.transaction, tables.CompanyExternalId, [{"system": one[0], "value": one[1]} for one in gone]
    )
    await unit.transaction.insert(
        *(
            new_row(tables.CompanyExternalId, workspace_id=number, company_id=identifier, system=one[0], value=one[1])
            for one in new
        )
    )
    different = [one for one in known if state.values.get(one.id) != state.values_were.get(one.id)]
    old = [{"company_id": identifier, "field_id": one.id} for one in different if one.id in state.values_were]
    await batch_writes.delete_rows(unit.transaction, tables.CompanyValue, old)
    own = {"workspace_id": number, "company_id": identifier}
    await unit.transaction.insert(
        *(
            new_row(tables.CompanyValue, **own, **columns)
            for one in different
            if one.id in state.values
            for columns in custom_values.value_rows(one, state.values[one.id])
        )
    )


_MOVED: Final = "Move its customers to another company with customersUpdate first, which is done by a job."


async def _renamed(unit: UnitOfWork, row: Row) -> None:
    """Its customers are found by its new name; that is no change of theirs."""
    members = await companies.customer_ids_of(unit.transaction, [row.id])
    for chunk in persistence.rewrite_chunks(members, ("input", "name"), _MOVED):
        rows = await customers.lock_by_ids(unit.transaction, chunk, Visibility(sees_all=True))
        found = await loaded_customer.from_rows(unit, rows, SEARCHED_PARTS)
        await persistence.rewrite_search_documents(unit, list(found.values()))


async def _customers(unit: UnitOfWork, ids: Sequence[bytes], company: Any) -> None:
    """They belong to another company from now on, or to none."""
    for chunk in persistence.rewrite_chunks(ids, ("by",), _MOVED):
        rows = await customers.lock_by_ids(unit.transaction, chunk, Visibility(sees_all=True))
        found = list((await loaded_customer.from_rows(unit, rows, SEARCHED_PARTS)).values())
        for state in found:
            change_fields.store_original_values(state)
            state.company, state.row.company_id = company, company and company.id
        await persistence.write_customers(unit, found)
