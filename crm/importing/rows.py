"""Imports rows: each row follows the rules of a single upsert, and many rows share a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from crm.customers import records
from crm.customers.loaded_customer import LoadedCustomer
from crm.customers.records import UpdateRequest
from crm.errors import ErrorCode, InputError
from crm.importing import error_paths, matching
from crm.importing.mapping import FieldMapping, ImportRow
from crm.importing.matching import MatchKey
from crm.unit_of_work import UnitOfWork
from crm.validation import lock_by_name
from db.queries.catalogue import tags
from db.queries.customers import customers, importing
from db.tables.enums import CustomerStage, Outcome, Permission, TagKind
from db.values.folding import fold, fold_case, normalize
from db.values.wire_format import id_encoder


class OnDuplicate(IntEnum):
    SKIP = 0
    UPDATE = 1
    CREATE = 2


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How every row of a file is imported."""

    fields: FieldMapping
    matching: MatchKey
    on_duplicate: OnDuplicate = OnDuplicate.SKIP
    stage: CustomerStage = CustomerStage.TO_BE_ASSIGNED
    add_tags: Sequence[Any] = ()


@dataclass(slots=True)
class ImportedRow:
    """The result of a row."""

    row: int
    outcome: Outcome
    id: bytes | None = None
    errors: list[InputError] = field(default_factory=list)


@dataclass(slots=True)
class _ReferencedRecords:
    """The companies and tags that rows refer to, by their folded names."""

    companies: dict[str, list[Any]]
    tags: dict[str, list[Any]]


async def import_rows(
    unit: UnitOfWork, plan: ImportPlan, rows: Sequence[tuple[int, Sequence[str]]]
) -> list[ImportedRow]:
    """Imports numbered rows in order. Rows about the same customer run one after the other, so later rows see the
    changes of earlier ones."""
    await lock_by_name(unit, "import")
    parsed_rows = [plan.fields.read_row(number, cells) for number, cells in rows]
    names = await _load_referenced(unit, parsed_rows)
    results: dict[int, ImportedRow] = {}
    remaining = [row for row in parsed_rows if not row.errors]
    for row in parsed_rows:
        if row.errors:
            results[row.number] = ImportedRow(row.number, Outcome.FAILED, None, row.errors)
    while remaining:
        remaining = await _import_round(unit, plan, names, remaining, results)
    return [results[row.number] for row in parsed_rows]


async def _import_round(
    unit: UnitOfWork,
    plan: ImportPlan,
    names: _ReferencedRecords,
    rows: Sequence[ImportRow],
    results: dict[int, ImportedRow],
) -> list[ImportRow]:
    """Imports the first row of each customer and returns the other rows."""
    matches = [None] * len(rows)
    if plan.on_duplicate is not OnDuplicate.CREATE:
        matches = await matching.find_matches(unit, plan.matching, rows)
    new: list[ImportRow] = []
    existing: list[tuple[ImportRow, Any]] = []
    later: list[ImportRow] = []
    claimed_keys: set[Any] = set()
    for row, customer in zip(rows, matches, strict=True):
        errors = _row_errors(unit, row, customer)
        if errors:
            results[row.number] = ImportedRow(row.number, Outcome.FAILED, customer and customer.id, errors)
        elif customer is not None and plan.on_duplicate is OnDuplicate.SKIP:
            results[row.number] = ImportedRow(row.number, Outcome.SKIPPED, customer.id)
        elif _customer_keys(plan, row, customer) & claimed_keys:
            later.append(row)
        else:
            claimed_keys |= _customer_keys(plan, row, customer).union(plan.matching.keys(row)) - {None}
            if customer is None:
                new.append(row)
            else:
                existing.append((row, customer))
    await _create(unit, plan, names, new, results)
    await _update(unit, plan, names, existing, results)
    return later


def _customer_keys(plan: ImportPlan, row: ImportRow, customer: Any) -> set[Any]:
    """The keys of the row's customer. An earlier row of the same round may create or change the same customer."""
    if plan.on_duplicate is OnDuplicate.CREATE:
        return set()
    key = None if row.id else plan.matching.key(row)
    return {value for value in (key, customer and customer.id) if value is not None}


def _row_errors(unit: UnitOfWork, row: ImportRow, customer: Any) -> list[InputError]:
    if row.errors:
        return row.errors
    permission = Permission.CUSTOMER_CREATE if customer is None else Permission.CUSTOMER_UPDATE
    if unit.viewer.has_permission(permission):
        return []
    action = "create customers" if customer is None else "change customers"
    return [InputError(ErrorCode.FORBIDDEN, f"You cannot {action}; this needs the permission {permission.name}.")]


async def _create(
    unit: UnitOfWork,
    plan: ImportPlan,
    names: _ReferencedRecords,
    rows: Sequence[ImportRow],
    results: dict[int, ImportedRow],
) -> None:
    if not rows:
        return
    for row in rows:
        _resolve_company(row, None, names)
        row.data.setdefault("stage", plan.stage)
        _add_tags(plan, row, names, {})
        ids = [{"system": system, "value": value} for system, values in row.systems.items() for value in values]
        if ids:
            row.data["external_ids"] = ids
    valid_rows = _without_errors(rows, results)
    states, outcomes = await records.create_each(
        unit, [(row.data, ()) for row in valid_rows], [row.number for row in valid_rows]
    )
    for row, state, outcome in zip(valid_rows, states, outcomes, strict=True):
        results[row.number] = _imported_row(row, state, outcome)


async def _update(
    unit: UnitOfWork,
    plan: ImportPlan,
    names: _ReferencedRecords,
    pairs: Sequence[tuple[ImportRow, Any]],
    results: dict[int, ImportedRow],
) -> None:
    if not pairs:
        return
    ids = [customer.id for _, customer in pairs]
    needs_tags = any(row.tags for row, _ in pairs) or plan.add_tags
    tags_by_customer = await tags.by_customer(unit.transaction, ids) if needs_tags else {}
    external_ids = await customers.external_ids(unit.transaction, ids) if any(row.systems for row, _ in pairs) else {}
    for row, customer in pairs:
        _resolve_company(row, customer, names)
        _add_tags(plan, row, names, {tag.id: tag for tag in tags_by_customer.get(customer.id, ())})
        _merge_external_ids(row, external_ids.get(customer.id, ()))
    valid_numbers = {row.number for row in _without_errors([row for row, _ in pairs], results)}
    valid_pairs = [(row, customer) for row, customer in pairs if row.number in valid_numbers]
    states, outcomes = await records.update_each(
        unit,
        [
            UpdateRequest(customer.id, row.data, path=(), reference_path=(), row=row.number)
            for row, customer in valid_pairs
        ],
    )
    for (row, customer), state, outcome in zip(valid_pairs, states, outcomes, strict=True):
        if state is None:
            error = InputError(ErrorCode.NOT_FOUND, "This customer no longer exists.")
            results[row.number] = ImportedRow(row.number, Outcome.FAILED, customer.id, [error])
        else:
            results[row.number] = _imported_row(row, state, outcome)


def _without_errors(rows: Sequence[ImportRow], results: dict[int, ImportedRow]) -> list[ImportRow]:
    for row in rows:
        if row.errors:
            results[row.number] = ImportedRow(row.number, Outcome.FAILED, None, row.errors)
    return [row for row in rows if not row.errors]


def _imported_row(row: ImportRow, state: LoadedCustomer, outcome: Outcome) -> ImportedRow:
    is_failed_creation = state.is_new and outcome is Outcome.FAILED
    error_paths.error_path(row, state.errors)
    return ImportedRow(row.number, outcome, None if is_failed_creation else state.id, list(state.errors))


# ── companies, tags, external ids ─────────────────────────────────────────────────────────────────────────────────────


async def _load_referenced(unit: UnitOfWork, rows: Sequence[ImportRow]) -> _ReferencedRecords:
    companies = list({fold(row.company) for row in rows if row.company})
    tag_keys = list({fold_case(tag) for row in rows for tag in row.tags})
    tags_by_key: dict[str, list[Any]] = {}
    for tag in await tags.ids_by_name(unit.transaction, [], tag_keys) if tag_keys else ():
        tags_by_key.setdefault(tag.unique_key, []).append(tag)
    return _ReferencedRecords(
        dict(await importing.companies(unit.transaction, companies)) if companies else {}, tags_by_key
    )


def _resolve_company(row: ImportRow, customer: Any, names: _ReferencedRecords) -> None:
    """Finds the company by name. Of several companies with the name, the customer's current one is used; otherwise the
    name is ambiguous."""
    if row.company is None:
        return
    companies = names.companies.get(fold(row.company), [])
    current = [company for company in companies if customer is not None and company.id == customer.company_id]
    if current or len(companies) == 1:
        row.data["company"] = {"id": _encode_company_id((current or companies)[0].id)}
        return
    code = ErrorCode.AMBIGUOUS if companies else ErrorCode.NOT_FOUND
    subject = f"{len(companies)} companies have" if companies else "There is no company with"
    row.errors.append(InputError(code, f"{subject} the name “{row.company}”.", ("company",)))


_encode_company_id, _encode_tag_id = id_encoder("Company"), id_encoder("Tag")


def _add_tags(plan: ImportPlan, row: ImportRow, names: _ReferencedRecords, existing_tags: dict[bytes, Any]) -> None:
    """Adds tags and removes none. Tags that the customer already has are not requested again, so they need no
    permission."""
    existing_keys = {tag.unique_key for tag in existing_tags.values()}
    add: list[Any] = []
    for index, name in enumerate(row.tags):
        if fold_case(name) not in existing_keys:
            matching_tags = sorted(names.tags.get(fold_case(name), ()), key=lambda tag: tag.kind != TagKind.BUSINESS)
            add.append({"id": _encode_tag_id(matching_tags[0].id)} if matching_tags else {"name": name})
            row.tagged.append(("tags", index))
    ids = {_encode_tag_id(tag_id) for tag_id in existing_tags}
    for index, added_tag in enumerate(plan.add_tags):
        if added_tag.get("id") not in ids and not (
            added_tag.get("name") and fold_case(added_tag["name"]) in existing_keys
        ):
            add.append(dict(added_tag))
            row.tagged.append((*error_paths.ADDED_TAGS_PATH, index))
    if add:
        row.data["tags"] = {"add": add}


def _merge_external_ids(row: ImportRow, stored_ids: Sequence[Any]) -> None:
    """The ids in the row replace the customer's ids of the same system; ids of other systems stay."""
    if not row.systems:
        return
    systems = {normalize(system): values for system, values in row.systems.items()}
    current_pairs = {(external_id.system, external_id.value) for external_id in stored_ids}
    other_pairs = [
        (external_id.system, external_id.value) for external_id in stored_ids if external_id.system not in systems
    ]
    new_pairs = [(system, normalize(value)) for system, values in systems.items() for value in values]
    if current_pairs != {*other_pairs, *new_pairs}:
        row.data["external_ids"] = [{"system": system, "value": value} for system, value in (*other_pairs, *new_pairs)]
