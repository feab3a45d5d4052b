"""The text that customers are found by: made of all their parts, or revised where only some of them are loaded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from crm.cooperative import yield_periodically
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from db import batch_writes, tables
from db.queries.customers import search_documents
from db.rows import new_row

_NAMES: Final[Mapping[str, str]] = {"NAME": "name", "NICKNAME": "nickname", "REAL_NAME": "real_name"}
_ADDRESS: Final = ("address_line1", "address_line2", "city", "region", "postal_code", "country")

SearchTexts = Iterable[str | None]


async def write_documents(unit: UnitOfWork, states: Sequence[LoadedCustomer], fields: Sequence[Any]) -> None:
    """Written for those whose searched parts are all loaded, and for those who hold the text and had something changed
    in it. `fields` are the custom ones."""
    number = unit.workspace_id
    await unit.transaction.insert(
        *(
            new_row(
                tables.CustomerSearch, workspace_id=number, customer_id=state.id, text=build_document(state, fields)
            )
            for state in states
            if state.is_new and state.parts >= SEARCHED_PARTS
        )
    )
    changed = [one async for one in yield_periodically(_changed(states, fields))]
    await batch_writes.update_rows_by(unit.transaction, tables.CustomerSearch, "customer_id", changed)


def _changed(states: Iterable[LoadedCustomer], fields: Sequence[Any]) -> Iterator[tuple[bytes, Mapping[str, str]]]:
    for state in states:
        if state.is_new:
            continue
        if state.parts >= SEARCHED_PARTS:
            yield state.id, {"text": build_document(state, fields)}
        elif state.search_text is not None:
            text = search_documents.revise_document(state.search_text, _sections(state, fields))
            if text != state.search_text:
                state.search_text = text
                yield state.id, {"text": text}


def build_document(state: LoadedCustomer, fields: Sequence[Any]) -> str:
    """All that the customer is found by."""
    row = state.row
    return search_documents.build_document(
        names=(row.name, row.nickname, row.real_name),
        emails=state.emails,
        phones=state.phones,
        company=_company(state),
        external_ids=[value for _, value in state.external_ids],
        address=[getattr(row, column) for column in _ADDRESS],
        tags=_tags(state),
        notes=state.notes,
        values=_values(state, fields),
    )


def _sections(state: LoadedCustomer, fields: Sequence[Any]) -> dict[str, SearchTexts]:
    """Of the document what is not as it was."""
    was, row, changed = state.original, state.row, state.changed_columns()
    assert was is not None
    found: dict[str, SearchTexts] = {
        section: (getattr(row, column),) for section, column in _NAMES.items() if column in changed
    }
    if not changed.isdisjoint(_ADDRESS):
        found["ADDRESS"] = [getattr(row, column) for column in _ADDRESS]
    if "company_id" in changed:
        found["COMPANY"] = (_company(state),)
    if was.tags.keys() != state.tags.keys():
        found["TAG"] = _tags(state)
    if was.emails != tuple(state.emails):
        found["EMAIL"] = state.emails
    if was.phones != tuple(state.phones):
        found["PHONE"] = search_documents.section_lines(state.phones)
    if was.external_ids != tuple(state.external_ids):
        found["EXTERNAL_ID"] = [value for _, value in state.external_ids]
    if was.values != state.values:
        found["CUSTOM_FIELD"] = _values(state, fields)
    return found


def _company(state: LoadedCustomer) -> str | None:
    return state.company.name if state.company else None


def _tags(state: LoadedCustomer) -> list[str]:
    """In one order, so that a customer who lost a tag and got it back is found by the same text."""
    return [tag.name for tag in sorted(state.tags.values(), key=lambda tag: (tag.name_key, tag.id))]


def _values(state: LoadedCustomer, fields: Sequence[Any]) -> list[str]:
    shown = (custom_values.searchable_texts(field, state.values.get(field.id)) for field in fields if field.active)
    return [text for text in shown if text]
