"""Notes: what people write down about a customer (EM14, EM15)."""

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
"""Code points of a note, composed and trimmed."""

_CUSTOMER = wire_format.id_encoder("Customer")


def log_snapshot(note: Any) -> Mapping[str, Any]:
    return {"body": note.body, "customer": _CUSTOMER(note.customer_id)}


async def create(unit: UnitOfWork, by: CustomerReference, body: str) -> Row:
    """Raises InputError NOT_FOUND, CUSTOMER_ARCHIVED, BLANK, TOO_LONG."""
    state = await load_customer_of(unit, by, ("customer",))
    check_preconditions(unit, state, ("customer",), foreign=True)
    text = _body(body)
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
    await _found_by(unit, state)
    return note


async def update(unit: UnitOfWork, wire_id: str, body: str) -> Row:
    """By its author, or with NOTE_MANAGE. Raises InputError NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, BLANK, TOO_LONG."""
    found, state = await _one(unit, wire_id)
    note = copy_row(found, tables.Note)
    note.body = _body(body)
    note.body_key = fold(note.body)
    if await record_writes.update_record(
        unit, "Note", note, vars(copy_row(found, tables.Note)), log_snapshot(found), log_snapshot
    ):
        await _found_by(unit, state)
    return note


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """By its author, or with NOTE_MANAGE. Raises InputError NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED."""
    note, state = await _one(unit, wire_id)
    await record_writes.delete_record(unit, "Note", note)
    await _found_by(unit, state)
    return note


async def load_customer_of(unit: UnitOfWork, by: CustomerReference, path: Path) -> LoadedCustomer:
    """The customer that is named, held. Raises InputError NOT_FOUND at `path`."""
    identifier = await references.find_customer(unit, by, path)
    found = await loaded_customer.load_customers(unit, [identifier], ()) if identifier else {}
    if identifier not in found:
        raise references.customer_not_found(by, path)
    return found[identifier]


async def _one(unit: UnitOfWork, wire_id: str) -> tuple[Any, LoadedCustomer]:
    """The note, and its customer, held."""
    identifier = wire_format.decode_id("Note", wire_id)
    found = (
        await activities.visible_by_ids(unit.transaction, [identifier], tables.Note, unit.viewer.visibility)
        if identifier
        else {}
    )
    if identifier is None or identifier not in found:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no note “{wire_id}” here.", ("id",))
    state = (await loaded_customer.load_customers(unit, [found[identifier].customer_id], ())).get(
        found[identifier].customer_id
    )
    note = (await activities.visible_by_ids(unit.transaction, [identifier], tables.Note, unit.viewer.visibility)).get(
        identifier
    )
    if state is None or note is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no note “{wire_id}” here.", ("id",))
    mine = (note.author_kind, note.author_id) == (unit.author.kind, unit.author.id)
    if not mine and not unit.viewer.has_permission(Permission.NOTE_MANAGE):
        message = "Somebody else wrote this note; only its author changes it, or who has NOTE_MANAGE."
        raise InputError(ErrorCode.FORBIDDEN, message, ("id",))
    check_preconditions(unit, state, ("id",), foreign=True)
    return note, state


def _body(text: str) -> str:
    return text_values.read_required_text(text, ("input", "body"), "a text", longest=MAX_NOTE_LENGTH)


async def _found_by(unit: UnitOfWork, state: LoadedCustomer) -> None:
    """The customer is found by the note from now on. It is no change of the customer."""
    await loaded_customer.load_parts(unit, [state], SEARCHED_PARTS)
    state.parts = SEARCHED_PARTS
    await persistence.rewrite_search_documents(unit, [state])
