"""A customer in memory: what rules look at and change before it is written."""

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
"""The parts that a search looks through: with all of them the text that it looks in is made anew; with `found_by`, that
text as it is, what has changed of them is put into it."""


@dataclass(slots=True)
class LoadedCustomer:
    """`row` and the parts that hang on it, as they are to be. What was not loaded is not in `parts`, and stays."""

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
    # The text that a search looks in, as it was when it was loaded; None where there is none.
    search_text: str | None = None
    # The ids of those who were merged into it.
    merged: list[bytes] = field(default_factory=list)
    company: Any = None
    block: Row | None = None
    # What is wrong: then nothing of it is written.
    errors: list[InputError] = field(default_factory=list)
    # As it was when it was loaded; set by `told`.
    original: "OriginalValues | None" = None

    @property
    def id(self) -> bytes:
        identifier: bytes = self.row.id
        return identifier

    @property
    def is_archived(self) -> bool:
        return self.row.archived_at is not None

    def is_blocked(self, now: int) -> bool:
        """An expired block is none."""
        return self.block is not None and (self.block.until is None or self.block.until > now)

    def changed_columns(self) -> set[str]:
        """The columns that are not what they were."""
        assert self.original is not None
        now, before = vars(self.row), self.original.columns
        # Nearly all are the very values that they were, which costs nothing to see.
        other = compress(now, map(is_not, now.values(), before.values()))
        return {name for name in other if now[name] != before[name]}

    def add_error(self, refused: InputError) -> None:
        self.errors.append(refused)


@dataclass(slots=True)
class OriginalValues:
    """A customer before an act: its columns, and those of its parts that were loaded."""

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
    """Those in the viewer's sight under the ids they were asked by, locked, with the parts named. A statement for each
    part, however many customers."""
    found = await customers.lock_by_ids(unit.transaction, ids, unit.viewer.visibility)
    return await from_rows(unit, found, parts)


async def from_rows(
    unit: UnitOfWork, found: Mapping[bytes, Any], parts: Collection[str]
) -> dict[bytes, LoadedCustomer]:
    """The states of rows that are locked already."""
    living = {row.id: row for row in found.values()}
    states = {
        identifier: LoadedCustomer(copy_row(row, tables.Customer), frozenset(parts))
        for identifier, row in living.items()
    }
    await load_parts(unit, states.values(), parts)
    return {asked: states[row.id] for asked, row in found.items()}


async def load_parts(unit: UnitOfWork, states: Iterable[LoadedCustomer], parts: Collection[str]) -> None:
    """Loads further parts of them."""
    by_id = {state.id: state for state in states}
    if not by_id:
        return
    ids, transaction = list(by_id), unit.transaction
    for part, (find, take) in _LISTS.items():
        if part in parts:
            for key, rows in (await find(transaction, ids)).items():
                setattr(by_id[key], part, take(rows))
    if "search_text" in parts:
        for key, text in (await search_documents.documents_by_customer(transaction, ids)).items():
            by_id[key].search_text = text
    if "block" in parts:
        for key, row in (await customers.blocks_including_expired(transaction, ids)).items():
            by_id[key].block = copy_row(row, tables.CustomerBlock)
    await _values_and_companies(unit, by_id, parts)


_LISTS: Final[Mapping[str, tuple[Any, Callable[[Any], Any]]]] = {
    "phones": (customers.phones, lambda rows: [row.phone for row in rows]),
    "emails": (customers.emails, lambda rows: [row.email for row in rows]),
    "external_ids": (customers.external_ids, lambda rows: [(row.system, row.value) for row in rows]),
    "tags": (tags.by_customer, lambda rows: {row.id: row for row in rows}),
    "friends": (agents.friends_by_customer, lambda rows: [row.id for row in rows]),
    "notes": (activities.note_keys, lambda rows: [row.body_key for row in rows]),
    "merged": (customers.merged_ids, lambda rows: [row.id for row in rows]),
}


async def _values_and_companies(
    unit: UnitOfWork, by_id: Mapping[bytes, LoadedCustomer], parts: Collection[str]
) -> None:
    if "values" in parts:
        known = {one.id: one for one in await load_custom_fields(unit)}
        for key, rows in (await fields.values(unit.transaction, list(by_id), EntityType.CUSTOMER)).items():
            each: dict[bytes, list[Any]] = {}
            for row in rows:
                each.setdefault(row.field_id, []).append(row)
            read = {field_id: custom_values.value_from_rows(known[field_id], held) for field_id, held in each.items()}
            by_id[key].values = {field_id: value for field_id, value in read.items() if value is not None}
    if "company" in parts:
        wanted = {state.row.company_id for state in by_id.values() if state.row.company_id is not None}
        if wanted:
            found = await companies.by_ids(unit.transaction, list(wanted))
            for state in by_id.values():
                state.company = found.get(state.row.company_id)


async def load_custom_fields(unit: UnitOfWork) -> list[Any]:
    """The customers' custom fields in order, those that are switched off as well; read once an act."""
    if "custom_fields" not in unit.cache:
        found = await fields.by_entities(unit.transaction, [EntityType.CUSTOMER])
        unit.cache["custom_fields"] = found[EntityType.CUSTOMER]
    known: list[Any] = unit.cache["custom_fields"]
    return known
