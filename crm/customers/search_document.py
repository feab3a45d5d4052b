"""The text that customers are found by: made of all their parts, or revised where only some of them are loaded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from crm.cooperative import yield_periodically
from crm.customers.loaded_customer import SEARCHED, State
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from db import batch_writes, tables
from db.queries.customers import search_documents
from db.rows import new_row

_NAMES: Final[Mapping[str, str]] = {"NAME": "name", "NICKNAME": "nickname", "REAL_NAME": "real_name"}
_ADDRESS: Final = ("address_line1", "address_line2", "city", "region", "postal_code", "country")

Texts = Iterable[str | None]


async def write(unit: UnitOfWork, states: Sequence[State], fields: Sequence[Any]) -> None:
    """Written for those whose searched parts are all loaded, and for those who hold the text and had something changed
    in it. `fields` are the custom ones."""
    number = unit.workspace_id
    await unit.transaction.insert(
        *(
            new_row(tables.CustomerSearch, workspace_id=number, customer_id=state.id, text=document(state, fields))
            for state in states
            if state.made and state.parts >= SEARCHED
        )
    )
    changed = [one async for one in yield_periodically(_changed(states, fields))]
    await batch_writes.update_rows_by(unit.transaction, tables.CustomerSearch, "customer_id", changed)


def _changed(states: Iterable[State], fields: Sequence[Any]) -> Iterator[tuple[bytes, Mapping[str, str]]]:
    for state in states:
        if state.made:
            continue
        if state.parts >= SEARCHED:
            yield state.id, {"text": document(state, fields)}
        elif state.found_by is not None:
            text = search_documents.revised(state.found_by, _sections(state, fields))
            if text != state.found_by:
                state.found_by = text
                yield state.id, {"text": text}


def document(state: State, fields: Sequence[Any]) -> str:
    """All that the customer is found by."""
    row = state.row
    return search_documents.document(
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


def _sections(state: State, fields: Sequence[Any]) -> dict[str, Texts]:
    """Of the document what is not as it was."""
    was, row, changed = state.was, state.row, state.changed()
    assert was is not None
    found: dict[str, Texts] = {
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
        found["PHONE"] = search_documents.lines_of(state.phones)
    if was.external_ids != tuple(state.external_ids):
        found["EXTERNAL_ID"] = [value for _, value in state.external_ids]
    if was.values != state.values:
        found["CUSTOM_FIELD"] = _values(state, fields)
    return found


def _company(state: State) -> str | None:
    return state.company.name if state.company else None


def _tags(state: State) -> list[str]:
    """In one order, so that a customer who lost a tag and got it back is found by the same text."""
    return [tag.name for tag in sorted(state.tags.values(), key=lambda tag: (tag.name_key, tag.id))]


def _values(state: State, fields: Sequence[Any]) -> list[str]:
    shown = (custom_values.found_by(field, state.values.get(field.id)) for field in fields if field.active)
    return [text for text in shown if text]
