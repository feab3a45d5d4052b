"""The search document of a customer: built from all parts, or revised if only some are loaded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from crm.cooperative import yield_periodically
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from crm.values.addresses import ADDRESS_COLUMNS
from db import batch_writes, tables
from db.queries.customers import search_documents
from db.rows import new_row

_NAME_COLUMNS: Final[Mapping[str, str]] = {"NAME": "name", "NICKNAME": "nickname", "REAL_NAME": "real_name"}

SearchTexts = Iterable[str | None]


async def write_documents(unit: UnitOfWork, states: Sequence[LoadedCustomer], fields: Sequence[Any]) -> None:
    """Writes the documents of customers with all searched parts, and revises those of customers with a loaded document
    and changes. `fields` are the custom fields."""
    workspace_id = unit.workspace_id
    await unit.transaction.insert(
        *(
            new_row(
                tables.CustomerSearch,
                workspace_id=workspace_id,
                customer_id=state.id,
                text=build_document(state, fields),
            )
            for state in states
            if state.is_new and state.parts >= SEARCHED_PARTS
        )
    )
    changed = [item async for item in yield_periodically(_changed_documents(states, fields))]
    await batch_writes.update_rows_by(unit.transaction, tables.CustomerSearch, "customer_id", changed)


def _changed_documents(
    states: Iterable[LoadedCustomer], fields: Sequence[Any]
) -> Iterator[tuple[bytes, Mapping[str, str]]]:
    for state in states:
        if state.is_new:
            continue
        if state.parts >= SEARCHED_PARTS:
            yield state.id, {"text": build_document(state, fields)}
        elif state.search_text is not None:
            text = search_documents.revise_document(state.search_text, _changed_sections(state, fields))
            if text != state.search_text:
                state.search_text = text
                yield state.id, {"text": text}


def build_document(state: LoadedCustomer, fields: Sequence[Any]) -> str:
    """The complete search document of the customer."""
    row = state.row
    return search_documents.build_document(
        names=(row.name, row.nickname, row.real_name),
        emails=state.emails,
        phones=state.phones,
        company=_company_name(state),
        external_ids=[value for _, value in state.external_ids],
        address=[getattr(row, column) for column in ADDRESS_COLUMNS],
        tags=_tag_names(state),
        notes=state.notes,
        values=_value_texts(state, fields),
    )


def _changed_sections(state: LoadedCustomer, fields: Sequence[Any]) -> dict[str, SearchTexts]:
    """The changed sections of the document."""
    original, row, changed = state.original, state.row, state.changed_columns()
    assert original is not None
    sections: dict[str, SearchTexts] = {
        section: (getattr(row, column),) for section, column in _NAME_COLUMNS.items() if column in changed
    }
    if not changed.isdisjoint(ADDRESS_COLUMNS):
        sections["ADDRESS"] = [getattr(row, column) for column in ADDRESS_COLUMNS]
    if "company_id" in changed:
        sections["COMPANY"] = (_company_name(state),)
    if original.tags.keys() != state.tags.keys():
        sections["TAG"] = _tag_names(state)
    if original.emails != tuple(state.emails):
        sections["EMAIL"] = state.emails
    if original.phones != tuple(state.phones):
        sections["PHONE"] = search_documents.section_lines(state.phones)
    if original.external_ids != tuple(state.external_ids):
        sections["EXTERNAL_ID"] = [value for _, value in state.external_ids]
    if original.values != state.values:
        sections["CUSTOM_FIELD"] = _value_texts(state, fields)
    return sections


def _company_name(state: LoadedCustomer) -> str | None:
    return state.company.name if state.company else None


def _tag_names(state: LoadedCustomer) -> list[str]:
    """The names in a fixed order, so that removing and adding a tag again gives the same document."""
    return [tag.name for tag in sorted(state.tags.values(), key=lambda tag: (tag.name_key, tag.id))]


def _value_texts(state: LoadedCustomer, fields: Sequence[Any]) -> list[str]:
    texts = (custom_values.searchable_texts(field, state.values.get(field.id)) for field in fields if field.active)
    return [text for text in texts if text]
