"""Bringing rows in: each stands for itself, all by the rules of a single upsert, many with a few statements."""

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
    """What is to be done with every row of a file."""

    fields: FieldMapping
    matching: MatchKey
    on_duplicate: OnDuplicate = OnDuplicate.SKIP
    stage: CustomerStage = CustomerStage.TO_BE_ASSIGNED
    add_tags: Sequence[Any] = ()


@dataclass(slots=True)
class ImportedRow:
    """What became of a row."""

    row: int
    outcome: Outcome
    id: bytes | None = None
    errors: list[InputError] = field(default_factory=list)


@dataclass(slots=True)
class _Names:
    """What rows name: companies and tags by their folded names."""

    companies: dict[str, list[Any]]
    tags: dict[str, list[Any]]


async def import_rows(
    unit: UnitOfWork, plan: ImportPlan, rows: Sequence[tuple[int, Sequence[str]]]
) -> list[ImportedRow]:
    """Rows with their numbers, in order. Those that mean the same customer come one after the other: the later ones
    find what the earlier ones did."""
    await lock_by_name(unit, "import")
    read = [plan.fields.read(number, cells) for number, cells in rows]
    names = await _named(unit, read)
    done: dict[int, ImportedRow] = {}
    left = [row for row in read if not row.errors]
    for row in read:
        if row.errors:
            done[row.number] = ImportedRow(row.number, Outcome.FAILED, None, row.errors)
    while left:
        left = await _round(unit, plan, names, left, done)
    return [done[row.number] for row in read]


async def _round(
    unit: UnitOfWork, plan: ImportPlan, names: _Names, rows: Sequence[ImportRow], done: dict[int, ImportedRow]
) -> list[ImportRow]:
    """Brings in the first row of each customer; returns the others."""
    found = [None] * len(rows)
    if plan.on_duplicate is not OnDuplicate.CREATE:
        found = await matching.find_matches(unit, plan.matching, rows)
    new: list[ImportRow] = []
    known: list[tuple[ImportRow, Any]] = []
    later: list[ImportRow] = []
    claimed: set[Any] = set()
    for row, customer in zip(rows, found, strict=True):
        refused = _refused(unit, row, customer)
        if refused:
            done[row.number] = ImportedRow(row.number, Outcome.FAILED, customer and customer.id, refused)
        elif customer is not None and plan.on_duplicate is OnDuplicate.SKIP:
            done[row.number] = ImportedRow(row.number, Outcome.SKIPPED, customer.id)
        elif _means(plan, row, customer) & claimed:
            later.append(row)
        else:
            claimed |= _means(plan, row, customer).union(plan.matching.keys(row)) - {None}
            if customer is None:
                new.append(row)
            else:
                known.append((row, customer))
    await _create(unit, plan, names, new, done)
    await _update(unit, plan, names, known, done)
    return later


def _means(plan: ImportPlan, row: ImportRow, customer: Any) -> set[Any]:
    """What the row knows its customer by, which may be one whom an earlier row of the same round makes or changes."""
    if plan.on_duplicate is OnDuplicate.CREATE:
        return set()
    key = None if row.id else plan.matching.key(row)
    return {one for one in (key, customer and customer.id) if one is not None}


def _refused(unit: UnitOfWork, row: ImportRow, customer: Any) -> list[InputError]:
    if row.errors:
        return row.errors
    needed = Permission.CUSTOMER_CREATE if customer is None else Permission.CUSTOMER_UPDATE
    if unit.viewer.has_permission(needed):
        return []
    what = "make customers" if customer is None else "change customers"
    return [InputError(ErrorCode.FORBIDDEN, f"You may not {what} ({needed.name}).")]


async def _create(
    unit: UnitOfWork, plan: ImportPlan, names: _Names, rows: Sequence[ImportRow], done: dict[int, ImportedRow]
) -> None:
    if not rows:
        return
    for row in rows:
        _company(row, None, names)
        row.data.setdefault("stage", plan.stage)
        _put_tags(plan, row, names, {})
        ids = [{"system": system, "value": one} for system, values in row.systems.items() for one in values]
        if ids:
            row.data["external_ids"] = ids
    ready = _ready(rows, done)
    states, outcomes = await records.create_each(unit, [(row.data, ()) for row in ready], [row.number for row in ready])
    for row, state, outcome in zip(ready, states, outcomes, strict=True):
        done[row.number] = _told(row, state, outcome)


async def _update(
    unit: UnitOfWork,
    plan: ImportPlan,
    names: _Names,
    pairs: Sequence[tuple[ImportRow, Any]],
    done: dict[int, ImportedRow],
) -> None:
    if not pairs:
        return
    ids = [customer.id for _, customer in pairs]
    tagged = any(row.tags for row, _ in pairs) or plan.add_tags
    worn = await tags.by_customer(unit.transaction, ids) if tagged else {}
    held = await customers.external_ids(unit.transaction, ids) if any(row.systems for row, _ in pairs) else {}
    for row, customer in pairs:
        _company(row, customer, names)
        _put_tags(plan, row, names, {tag.id: tag for tag in worn.get(customer.id, ())})
        _merge_ids(row, held.get(customer.id, ()))
    ready = {row.number for row in _ready([row for row, _ in pairs], done)}
    wanted = [(row, customer) for row, customer in pairs if row.number in ready]
    states, outcomes = await records.update_each(
        unit,
        [UpdateRequest(customer.id, row.data, path=(), reference_path=(), row=row.number) for row, customer in wanted],
    )
    for (row, customer), state, outcome in zip(wanted, states, outcomes, strict=True):
        if state is None:
            gone = InputError(ErrorCode.NOT_FOUND, "The customer is not there any more.")
            done[row.number] = ImportedRow(row.number, Outcome.FAILED, customer.id, [gone])
        else:
            done[row.number] = _told(row, state, outcome)


def _ready(rows: Sequence[ImportRow], done: dict[int, ImportedRow]) -> list[ImportRow]:
    for row in rows:
        if row.errors:
            done[row.number] = ImportedRow(row.number, Outcome.FAILED, None, row.errors)
    return [row for row in rows if not row.errors]


def _told(row: ImportRow, state: LoadedCustomer, outcome: Outcome) -> ImportedRow:
    made_and_refused = state.is_new and outcome is Outcome.FAILED
    error_paths.error_path(row, state.errors)
    return ImportedRow(row.number, outcome, None if made_and_refused else state.id, list(state.errors))


# ── companies, tags, ids in other systems ─────────────────────────────────────────────────────────────────────────────


async def _named(unit: UnitOfWork, rows: Sequence[ImportRow]) -> _Names:
    companies = list({fold(row.company) for row in rows if row.company})
    named = list({fold_case(tag) for row in rows for tag in row.tags})
    found: dict[str, list[Any]] = {}
    for tag in await tags.ids_by_name(unit.transaction, [], named) if named else ():
        found.setdefault(tag.unique_key, []).append(tag)
    return _Names(dict(await importing.companies(unit.transaction, companies)) if companies else {}, found)


def _company(row: ImportRow, customer: Any, names: _Names) -> None:
    """By its name. Of several of one name, the customer's own; else none can be told from the others."""
    if row.company is None:
        return
    found = names.companies.get(fold(row.company), [])
    own = [one for one in found if customer is not None and one.id == customer.company_id]
    if own or len(found) == 1:
        row.data["company"] = {"id": _COMPANY((own or found)[0].id)}
        return
    code = ErrorCode.AMBIGUOUS if found else ErrorCode.NOT_FOUND
    message = f"{len(found)} companies have" if found else "There is no company with"
    row.errors.append(InputError(code, f"{message} the name “{row.company}”.", ("company",)))


_COMPANY, _TAG = id_encoder("Company"), id_encoder("Tag")


def _put_tags(plan: ImportPlan, row: ImportRow, names: _Names, worn: dict[bytes, Any]) -> None:
    """Tags are put on, none is taken off; what is worn already is no change, whoever asks for it."""
    wearing = {tag.unique_key for tag in worn.values()}
    add: list[Any] = []
    for place, name in enumerate(row.tags):
        if fold_case(name) not in wearing:
            known = sorted(names.tags.get(fold_case(name), ()), key=lambda tag: tag.kind != TagKind.BUSINESS)
            add.append({"id": _TAG(known[0].id)} if known else {"name": name})
            row.tagged.append(("tags", place))
    ids = {_TAG(one) for one in worn}
    for place, named in enumerate(plan.add_tags):
        if named.get("id") not in ids and not (named.get("name") and fold_case(named["name"]) in wearing):
            add.append(dict(named))
            row.tagged.append((*error_paths.ADDED_TAGS_PATH, place))
    if add:
        row.data["tags"] = {"add": add}


def _merge_ids(row: ImportRow, held: Sequence[Any]) -> None:
    """A system's ids are replaced by the cell's; those in other systems stay."""
    if not row.systems:
        return
    systems = {normalize(system): values for system, values in row.systems.items()}
    now = {(one.system, one.value) for one in held}
    kept = [(one.system, one.value) for one in held if one.system not in systems]
    wanted = [(system, normalize(value)) for system, values in systems.items() for value in values]
    if now != {*kept, *wanted}:
        row.data["external_ids"] = [{"system": system, "value": value} for system, value in (*kept, *wanted)]
