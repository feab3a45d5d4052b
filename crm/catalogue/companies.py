"""Companies: creating, updating and deleting the organisations that customers belong to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm import change_log, record_writes, references
from crm.catalogue.company_state import CompanyState, load_state, snapshot_with_values
from crm.change_log import ChangeEntry
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED_PARTS
from crm.errors import DuplicateError, ErrorCode, InputError, LimitError, Path, check_version, counted, raise_errors
from crm.references import CustomerReference, References
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values, text_values
from crm.values.addresses import ADDRESS_PARTS
from db import batch_writes, tables
from db.queries.catalogue import companies, custom_fields
from db.queries.customers import customers
from db.rows import Row, new_row
from db.tables.enums import ChangeAction, EntityType, Outcome
from db.values.folding import fold
from db.visibility import Visibility

MAX_EXTERNAL_IDS_PER_COMPANY: Final = 50
"""Maximum number of external ids of one company."""

CompanyData = Mapping[str, Any]

_DOMAIN_PATTERN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class CompanyResult:
    company: Any
    outcome: Outcome


async def create(unit: UnitOfWork, data: CompanyData) -> CompanyResult:
    """Creates a company. Raises InputError and its subclasses."""
    state = CompanyState(new_row(tables.Company, workspace_id=unit.workspace_id, name="", name_key=""), is_new=True)
    return await _apply_and_write(unit, state, {"name": None, **data})


async def update(
    unit: UnitOfWork, reference: CustomerReference, data: CompanyData, *, if_version: int | None = None
) -> CompanyResult:
    """Updates a company. Raises InputError NOT_FOUND, ConflictError and others."""
    company = await _load_company(unit, reference)
    check_version(company, if_version)
    return await _apply_and_write(unit, await load_state(unit, company), data)


async def upsert(unit: UnitOfWork, reference: CustomerReference, data: CompanyData) -> CompanyResult:
    """Updates the company, or creates one that gets the reference as its value."""
    if "domain" in reference and "domain" not in data:
        data = {**data, "domain": reference["domain"]}
    identifier = await references.find_company(unit, reference)
    if "external_id" in reference and (identifier is None or "external_ids" in data):
        external_ids = list(data.get("external_ids") or ())
        data = {
            **data,
            "external_ids": external_ids
            if reference["external_id"] in external_ids
            else [*external_ids, reference["external_id"]],
        }
    if identifier is not None:
        return await update(unit, reference, data)
    if "id" in reference:
        raise company_not_found(reference)
    return await create(unit, data)


async def delete(unit: UnitOfWork, reference: CustomerReference, *, detach: bool) -> CompanyResult:
    """Deletes a company. With `detach` its customers stay without a company. Raises InputError NOT_FOUND,
    COMPANY_HAS_CUSTOMERS."""
    company = await _load_company(unit, reference)
    member_ids = await companies.customer_ids_of(unit.transaction, [company.id])
    if member_ids and not detach:
        message = (
            f"{counted(len(member_ids), 'customer belongs', 'customers belong')} to “{company.name}”; detach them "
            "to delete the company."
        )
        raise InputError(ErrorCode.COMPANY_HAS_CUSTOMERS, message, ("by",))
    await _move_customers(unit, member_ids, None)
    await record_writes.delete_record(unit, "Company", company)
    return CompanyResult(company, Outcome.DELETED)


def company_not_found(reference: CustomerReference) -> InputError:
    return InputError(
        ErrorCode.NOT_FOUND, f"There is no company “{next(iter(reference.values()))}” in this workspace.", ("by",)
    )


async def _load_company(unit: UnitOfWork, reference: CustomerReference) -> Any:
    """Loads and locks the company."""
    identifier = await references.find_company(unit, reference)
    companies_by_id = await companies.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in companies_by_id:
        raise company_not_found(reference)
    return companies_by_id[identifier]


# ── the input ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _apply_and_write(unit: UnitOfWork, state: CompanyState, data: CompanyData) -> CompanyResult:
    loaded_references = References()
    await references.load_agents(unit, loaded_references, [data["owner"]] if data.get("owner") else [])
    country = (await unit.settings()).default_country
    for reader in (_set_name, _set_domain, _set_address):
        _collect_error(state, reader, state, data)
    if "phone" in data:
        _collect_error(state, _set_phone, state, data["phone"], country)
    if "owner" in data:
        _collect_error(state, _set_owner, state, data["owner"], loaded_references)
    if "external_ids" in data:
        _collect_error(state, _set_external_ids, state, data["external_ids"] or [])
    await _set_values(unit, state, data, country)
    raise_errors(state.errors)
    await _check_uniqueness(unit, state, data)
    return await _write(unit, state)


def _collect_error(state: CompanyState, rule: Any, *arguments: Any) -> None:
    try:
        rule(*arguments)
    except InputError as error:
        state.errors.append(error)


def _set_name(state: CompanyState, data: CompanyData) -> None:
    if "name" in data:
        state.row.name = text_values.read_required_text(data["name"], ("input", "name"), "a name")
        state.row.name_key = fold(state.row.name)


def _set_domain(state: CompanyState, data: CompanyData) -> None:
    if "domain" not in data:
        return
    domain = text_values.read_text(data["domain"], ("input", "domain"), max_length=253)
    if domain is not None and not _DOMAIN_PATTERN.fullmatch(fold(domain)):
        message = f"“{domain}” is not a domain; enter a name such as example.com."
        raise InputError(ErrorCode.INVALID, message, ("input", "domain"))
    state.row.domain, state.row.domain_key = domain, domain and fold(domain)


def _set_phone(state: CompanyState, given: str | None, country: str | None) -> None:
    text = text_values.read_text(given, ("input", "phone"))
    state.row.phone = text and text_values.read_phone(text, country, ("input", "phone"))


def _set_address(state: CompanyState, data: CompanyData) -> None:
    if "address" not in data:
        return
    address = data["address"]
    for key, column, name in ADDRESS_PARTS:
        if address is None:
            setattr(state.row, column, None)
        elif key in address:
            path = ("input", "address", name)
            setattr(
                state.row, column, text_values.read_text(address[key], path, max_length=text_values.MAX_LINE_LENGTH)
            )


def _set_owner(state: CompanyState, reference: CustomerReference | None, loaded_references: References) -> None:
    state.row.owner_id = reference and loaded_references.agent(reference, ("input", "owner")).id


def _set_external_ids(state: CompanyState, external_ids: Sequence[Mapping[str, str]]) -> None:
    path = ("input", "externalIds")
    if len(external_ids) > MAX_EXTERNAL_IDS_PER_COMPANY:
        message = (
            f"A company can have at most {MAX_EXTERNAL_IDS_PER_COMPANY} external ids, but you gave {len(external_ids)}."
        )
        raise LimitError(message, path, limit=MAX_EXTERNAL_IDS_PER_COMPANY, current=len(external_ids))
    state.external_ids = list(
        dict.fromkeys(
            references.read_external_id(external_id, (*path, index)) for index, external_id in enumerate(external_ids)
        )
    )


async def _set_values(unit: UnitOfWork, state: CompanyState, data: CompanyData, country: str | None) -> None:
    active_fields = {entry.key: entry for entry in await unit.custom_fields(EntityType.COMPANY) if entry.active}
    entries = data.get("custom_fields") or ()
    for index, entry in enumerate(entries):
        path: Path = ("input", "customFields", index)
        if entry["key"] not in active_fields:
            message = f"There is no custom field “{entry['key']}” in this workspace."
            state.errors.append(InputError(ErrorCode.FIELD_UNKNOWN, message, (*path, "key")))
            continue
        _collect_error(
            state, _set_value, state, active_fields[entry["key"]], entry.get("value"), (*path, "value"), country
        )
    clears_all = "custom_fields" in data and data["custom_fields"] is None
    given_keys = {entry["key"] for entry in entries}
    for field_ in active_fields.values():
        if clears_all:
            _collect_error(state, _set_value, state, field_, None, ("input", "customFields"), country)
        elif state.is_new and field_.required and field_.key not in given_keys:
            message = f"“{field_.label}” is required; enter a value (key “{field_.key}”)."
            state.errors.append(InputError(ErrorCode.BLANK, message, ("input", "customFields")))


def _set_value(state: CompanyState, field_: Any, data: Any, path: Path, country: str | None) -> None:
    value = custom_values.read_value(field_, data, path, country=country)
    state.values.pop(field_.id, None)
    if value is not None:
        state.values[field_.id] = value


async def _check_uniqueness(unit: UnitOfWork, state: CompanyState, data: CompanyData) -> None:
    """Raises DuplicateError for a domain, external id or unique value that belongs to another company."""
    claims: list[tuple[bytes, str, Path]] = []
    if state.row.domain_key is not None and state.row.domain_key != state.columns.get("domain_key"):
        holder = await companies.by_domain(unit.transaction, state.row.domain_key)
        claims += [(holder.id, str(state.row.domain), ("input", "domain"))] if holder else []
    if new_pairs := [pair for pair in state.external_ids if pair not in state.external_ids_before]:
        holders = await companies.ids_by_external_id(unit.transaction, new_pairs)
        index_by_pair = {
            references.read_external_id(external_id, ()): index
            for index, external_id in enumerate(data.get("external_ids") or ())
        }
        claims += [
            (holders[pair], f"{pair[0]}: {pair[1]}", ("input", "externalIds", index_by_pair[pair], "value"))
            for pair in new_pairs
            if pair in holders
        ]
    claims += await _unique_value_claims(unit, state, data)
    conflicts = [claim for claim in claims if claim[0] != state.row.id]
    holders_by_id = (
        await companies.by_ids(unit.transaction, [holder for holder, _, _ in conflicts]) if conflicts else {}
    )
    raise_errors(
        [
            DuplicateError(
                f"“{shown_value}” already belongs to “{holders_by_id[holder].name}”.",
                path,
                existing=holders_by_id[holder],
            )
            for holder, shown_value, path in conflicts
        ]
    )


async def _unique_value_claims(
    unit: UnitOfWork, state: CompanyState, data: CompanyData
) -> list[tuple[bytes, str, Path]]:
    fields_ = await unit.custom_fields(EntityType.COMPANY)
    unique_fields = {entry.key: entry for entry in fields_ if entry.unique and entry.active}
    given_fields = [
        (unique_fields[entry["key"]], index)
        for index, entry in enumerate(data.get("custom_fields") or ())
        if entry["key"] in unique_fields and unique_fields[entry["key"]].id in state.values
    ]
    pairs = {(field_.id, custom_values.unique_key(state.values[field_.id])): index for field_, index in given_fields}
    holders = await custom_fields.unique_holders(unit.transaction, EntityType.COMPANY, list(pairs)) if pairs else {}
    return [
        (holder, str(state.values[pair[0]]), ("input", "customFields", pairs[pair], "value"))
        for pair, holder in holders.items()
        if pair in pairs
    ]


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _write(unit: UnitOfWork, state: CompanyState) -> CompanyResult:
    row, fields_ = state.row, await unit.custom_fields(EntityType.COMPANY)
    snapshot = snapshot_with_values(state, fields_)
    if state.is_new:
        await unit.transaction.insert(row)
        await _write_related_rows(unit, state, fields_)
        unit.log.add(
            ChangeEntry(ChangeAction.CREATED, "Company", row.id, row.version, change_log.created_fields_of(snapshot))
        )
        return CompanyResult(row, Outcome.CREATED)
    changed = change_log.changed_fields(state.snapshot_before, snapshot)
    if not changed:
        return CompanyResult(row, Outcome.UNCHANGED)
    row.version, row.updated_at = row.version + 1, unit.now
    columns = {name: value for name, value in vars(row).items() if state.columns[name] != value}
    await batch_writes.update_rows(unit.transaction, tables.Company, [(row.id, columns)])
    await _write_related_rows(unit, state, fields_)
    unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Company", row.id, row.version, changed))
    if "name" in columns:
        await _rewrite_search_documents(unit, row)
    return CompanyResult(row, Outcome.UPDATED)


async def _write_related_rows(unit: UnitOfWork, state: CompanyState, fields_: Sequence[Any]) -> None:
    """Deletes removed external ids and custom values and inserts new ones."""
    workspace_id, identifier = unit.workspace_id, state.row.id
    removed_ids = state.external_ids_before - set(state.external_ids)
    added_ids = [item for item in state.external_ids if item not in state.external_ids_before]
    await batch_writes.delete_rows(
        unit.transaction, tables.CompanyExternalId, [{"system": item[0], "value": item[1]} for item in removed_ids]
    )
    await unit.transaction.insert(
        *(
            new_row(
                tables.CompanyExternalId,
                workspace_id=workspace_id,
                company_id=identifier,
                system=item[0],
                value=item[1],
            )
            for item in added_ids
        )
    )
    changed_fields_ = [item for item in fields_ if state.values.get(item.id) != state.values_before.get(item.id)]
    removed_values = [
        {"company_id": identifier, "field_id": item.id} for item in changed_fields_ if item.id in state.values_before
    ]
    await batch_writes.delete_rows(unit.transaction, tables.CompanyValue, removed_values)
    key_columns = {"workspace_id": workspace_id, "company_id": identifier}
    await unit.transaction.insert(
        *(
            new_row(tables.CompanyValue, **key_columns, **columns)
            for item in changed_fields_
            if item.id in state.values
            for columns in custom_values.value_rows(item, state.values[item.id])
        )
    )


_MOVE_CUSTOMERS_HINT: Final = (
    "Move its customers to another company with customersUpdate first; it runs as a background job."
)


async def _rewrite_search_documents(unit: UnitOfWork, row: Row) -> None:
    """Rewrites the search documents of the company's customers, which contain its name. This is not a change of the
    customers."""
    customer_ids = await companies.customer_ids_of(unit.transaction, [row.id])
    for chunk in persistence.rewrite_chunks(customer_ids, ("input", "name"), _MOVE_CUSTOMERS_HINT):
        rows = await customers.lock_by_ids(unit.transaction, chunk, Visibility(sees_all=True))
        customers_by_id = await loaded_customer.from_rows(unit, rows, SEARCHED_PARTS)
        await persistence.rewrite_search_documents(unit, list(customers_by_id.values()))


async def _move_customers(unit: UnitOfWork, ids: Sequence[bytes], company: Any) -> None:
    """Moves the customers to another company, or to none."""
    for chunk in persistence.rewrite_chunks(ids, ("by",), _MOVE_CUSTOMERS_HINT):
        rows = await customers.lock_by_ids(unit.transaction, chunk, Visibility(sees_all=True))
        loaded = list((await loaded_customer.from_rows(unit, rows, SEARCHED_PARTS)).values())
        for state in loaded:
            change_fields.store_original_values(state)
            state.company, state.row.company_id = company, company and company.id
        await persistence.write_customers(unit, loaded)
