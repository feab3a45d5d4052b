"""A customer in memory: the rules read and change it before it is written."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import is_not
from typing import Any, Final

from crm.errors import InputError
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from crm.values.custom_values import CustomValue
from db import tables
from db.queries import activities
from db.queries.catalogue import agents, companies, tags
from db.queries.catalogue import custom_fields as fields
from db.queries.customers import customers, search_documents
from db.rows import Row, copy_row
from db.tables.enums import EntityType

SEARCHED_PARTS: Final = frozenset({"phones", "emails", "external_ids", "tags", "values", "notes", "company"})
"""The parts that the search document contains. If all are loaded, the document is rebuilt. If only `search_text` is
loaded, the changes are applied to it."""


@dataclass(slots=True)
class LoadedCustomer:
    """The row and the loaded parts of a customer, with the requested changes. Parts that are not in `parts` were not
    loaded and stay unchanged."""

    row: Row
    parts: frozenset[str]
    is_new: bool = False
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    external_ids: list[tuple[str, str]] = field(default_factory=list)
    tags: dict[bytes, Any] = field(default_factory=dict)
    friends: list[bytes] = field(default_factory=list)
    values: dict[bytes, CustomValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    # The search document as loaded; None if there is none.
    search_text: str | None = None
    # The ids of the customers that were merged into this one.
    merged: list[bytes] = field(default_factory=list)
    company: Any = None
    block: Row | None = None
    # The errors of the change; with any of them nothing is written.
    errors: list[InputError] = field(default_factory=list)
    # The values before the change; set by `store_original_values`.
    original: "OriginalValues | None" = None

    @property
    def id(self) -> bytes:
        identifier: bytes = self.row.id
        return identifier

    @property
    def is_archived(self) -> bool:
        return self.row.archived_at is not None

    def is_blocked(self, now: int) -> bool:
        """Whether the customer has a block that has not expired."""
        return self.block is not None and (self.block.until is None or self.block.until > now)

    def changed_columns(self) -> set[str]:
        """The columns that differ from the original."""
        assert self.original is not None
        current, original = vars(self.row), self.original.columns
        # Nearly all values are identical objects, which makes this comparison cheap.
        not_identical = compress(current, map(is_not, current.values(), original.values()))
        return {name for name in not_identical if current[name] != original[name]}

    def add_error(self, error: InputError) -> None:
        self.errors.append(error)


@dataclass(slots=True)
class OriginalValues:
    """A customer before a change: its columns and the loaded parts."""

    columns: Mapping[str, Any]
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    external_ids: tuple[tuple[str, str], ...]
    tags: Mapping[bytes, Any]
    friends: frozenset[bytes]
    values: Mapping[bytes, CustomValue]
    block: Mapping[str, Any] | None
    merged: tuple[bytes, ...]


async def load_customers(unit: UnitOfWork, ids: Sequence[bytes], parts: Collection[str]) -> dict[bytes, LoadedCustomer]:
    """Locks and loads the visible customers by the requested ids, with these parts. Runs one statement per part."""
    rows = await customers.lock_by_ids(unit.transaction, ids, unit.viewer.visibility)
    return await from_rows(unit, rows, parts)


async def from_rows(unit: UnitOfWork, rows: Mapping[bytes, Any], parts: Collection[str]) -> dict[bytes, LoadedCustomer]:
    """Loads customers whose rows are already locked."""
    rows_by_id = {row.id: row for row in rows.values()}
    states = {
        identifier: LoadedCustomer(copy_row(row, tables.Customer), frozenset(parts))
        for identifier, row in rows_by_id.items()
    }
    await load_parts(unit, states.values(), parts)
    return {requested_id: states[row.id] for requested_id, row in rows.items()}


async def load_parts(unit: UnitOfWork, states: Iterable[LoadedCustomer], parts: Collection[str]) -> None:
    """Loads further parts of the customers."""
    by_id = {state.id: state for state in states}
    if not by_id:
        return
    ids, transaction = list(by_id), unit.transaction
    for part, (load, convert) in _PART_LOADERS.items():
        if part in parts:
            for key, rows in (await load(transaction, ids)).items():
                setattr(by_id[key], part, convert(rows))
    if "search_text" in parts:
        for key, text in (await search_documents.documents_by_customer(transaction, ids)).items():
            by_id[key].search_text = text
    if "block" in parts:
        for key, row in (await customers.blocks_including_expired(transaction, ids)).items():
            by_id[key].block = copy_row(row, tables.CustomerBlock)
    await _load_values_and_companies(unit, by_id, parts)


_PART_LOADERS: Final[Mapping[str, tuple[Any, Callable[[Any], Any]]]] = {
    "phones": (customers.phones, lambda rows: [row.phone for row in rows]),
    "emails": (customers.emails, lambda rows: [row.email for row in rows]),
    "external_ids": (customers.external_ids, lambda rows: [(row.system, row.value) for row in rows]),
    "tags": (tags.by_customer, lambda rows: {row.id: row for row in rows}),
    "friends": (agents.friends_by_customer, lambda rows: [row.id for row in rows]),
    "notes": (activities.note_keys, lambda rows: [row.body_key for row in rows]),
    "merged": (customers.merged_ids, lambda rows: [row.id for row in rows]),
}


async def _load_values_and_companies(
    unit: UnitOfWork, by_id: Mapping[bytes, LoadedCustomer], parts: Collection[str]
) -> None:
    if "values" in parts:
        fields_by_id = {field_.id: field_ for field_ in await unit.custom_fields(EntityType.CUSTOMER)}
        for key, rows in (await fields.values(unit.transaction, list(by_id), EntityType.CUSTOMER)).items():
            rows_by_field: dict[bytes, list[Any]] = {}
            for row in rows:
                rows_by_field.setdefault(row.field_id, []).append(row)
            values = {
                field_id: custom_values.value_from_rows(fields_by_id[field_id], field_rows)
                for field_id, field_rows in rows_by_field.items()
            }
            by_id[key].values = {field_id: value for field_id, value in values.items() if value is not None}
    if "company" in parts:
        company_ids = {state.row.company_id for state in by_id.values() if state.row.company_id is not None}
        if company_ids:
            companies_by_id = await companies.by_ids(unit.transaction, list(company_ids))
            for state in by_id.values():
                state.company = companies_by_id.get(state.row.company_id)
