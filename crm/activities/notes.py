"""Notes that people write about a customer (EM14, EM15)."""

from collections.abc import Mapping
from typing import Any, Final

from crm import record_writes, references
from crm.customers import loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.customers.preconditions import check_preconditions
from crm.errors import ErrorCode, InputError, Path
from crm.references import CustomerReference
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.queries import activities
from db.rows import Row, copy_row, new_row
from db.tables.enums import Permission
from db.values import wire_format
from db.values.folding import fold

MAX_NOTE_LENGTH: Final = 1_000
"""Maximum length of a note in code points, composed and trimmed."""

_encode_customer_id = wire_format.id_encoder("Customer")


def log_snapshot(note: Any) -> Mapping[str, Any]:
    return {"body": note.body, "customer": _encode_customer_id(note.customer_id)}


async def create(unit: UnitOfWork, reference: CustomerReference, body: str) -> Row:
    """Creates a note. Raises InputError NOT_FOUND, CUSTOMER_ARCHIVED, BLANK, TOO_LONG."""
    state = await load_customer_of(unit, reference, ("customer",))
    check_preconditions(unit, state, ("customer",), foreign=True)
    text = _read_body(body)
    note = new_row(
        tables.Note,
        workspace_id=unit.workspace_id,
        customer_id=state.id,
        body=text,
        body_key=fold(text),
        author_kind=int(unit.author.kind),
        author_id=unit.author.id,
    )
    await record_writes.create_record(unit, "Note", note, log_snapshot)
    await _update_search_document(unit, state)
    return note


async def update(unit: UnitOfWork, wire_id: str, body: str) -> Row:
    """Updates a note; only its author and holders of NOTE_MANAGE may. Raises InputError NOT_FOUND, FORBIDDEN,
    CUSTOMER_ARCHIVED, BLANK, TOO_LONG."""
    stored_note, state = await _load_note(unit, wire_id)
    note = copy_row(stored_note, tables.Note)
    note.body = _read_body(body)
    note.body_key = fold(note.body)
    if await record_writes.update_record(
        unit, "Note", note, vars(copy_row(stored_note, tables.Note)), log_snapshot(stored_note), log_snapshot
    ):
        await _update_search_document(unit, state)
    return note


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Deletes a note; only its author and holders of NOTE_MANAGE may. Raises InputError NOT_FOUND, FORBIDDEN,
    CUSTOMER_ARCHIVED."""
    note, state = await _load_note(unit, wire_id)
    await record_writes.delete_record(unit, "Note", note)
    await _update_search_document(unit, state)
    return note


async def load_customer_of(unit: UnitOfWork, reference: CustomerReference, path: Path) -> LoadedCustomer:
    """Locks and loads the referenced customer. Raises InputError NOT_FOUND at `path`."""
    identifier = await references.find_customer(unit, reference, path)
    customers_by_id = await loaded_customer.load_customers(unit, [identifier], ()) if identifier else {}
    if identifier not in customers_by_id:
        raise references.customer_not_found(reference, path)
    return customers_by_id[identifier]


async def _load_note(unit: UnitOfWork, wire_id: str) -> tuple[Any, LoadedCustomer]:
    """Loads the note and its locked customer."""
    identifier = wire_format.decode_id("Note", wire_id)
    notes_by_id = (
        await activities.visible_by_ids(unit.transaction, [identifier], tables.Note, unit.viewer.visibility)
        if identifier
        else {}
    )
    if identifier is None or identifier not in notes_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no note “{wire_id}” in this workspace.", ("id",))
    state = (await loaded_customer.load_customers(unit, [notes_by_id[identifier].customer_id], ())).get(
        notes_by_id[identifier].customer_id
    )
    note = (await activities.visible_by_ids(unit.transaction, [identifier], tables.Note, unit.viewer.visibility)).get(
        identifier
    )
    if state is None or note is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no note “{wire_id}” in this workspace.", ("id",))
    is_own = (note.author_kind, note.author_id) == (unit.author.kind, unit.author.id)
    if not is_own and not unit.viewer.has_permission(Permission.NOTE_MANAGE):
        message = "Somebody else wrote this note; only its author or a holder of NOTE_MANAGE can change it."
        raise InputError(ErrorCode.FORBIDDEN, message, ("id",))
    check_preconditions(unit, state, ("id",), foreign=True)
    return note, state


def _read_body(text: str) -> str:
    return text_values.read_required_text(text, ("input", "body"), "a text", max_length=MAX_NOTE_LENGTH)


async def _update_search_document(unit: UnitOfWork, state: LoadedCustomer) -> None:
    """Adds the note's text to the customer's search document. This is not a change of the customer."""
    await loaded_customer.load_parts(unit, [state], SEARCHED_PARTS)
    state.parts = SEARCHED_PARTS
    await persistence.rewrite_search_documents(unit, [state])
