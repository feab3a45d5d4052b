"""Notes: what people write down about a customer (EM14, EM15)."""

from collections.abc import Mapping
from typing import Any, Final

from crm import record_writes, references
from crm.customers import loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED, State
from crm.customers.preconditions import judge
from crm.errors import ErrorCode, Path, Refused
from crm.references import Named
from crm.unit_of_work import Act
from crm.values import text_values
from db import tables
from db.queries import activities
from db.rows import Row, copied, fresh
from db.tables.enums import Permission
from db.values import wire_format
from db.values.folding import fold

LONGEST: Final = 1_000
"""Code points of a note, composed and trimmed."""

_CUSTOMER = wire_format.wire("Customer")


def told(note: Any) -> Mapping[str, Any]:
    return {"body": note.body, "customer": _CUSTOMER(note.customer_id)}


async def create(act: Act, by: Named, body: str) -> Row:
    """Raises Refused NOT_FOUND, CUSTOMER_ARCHIVED, BLANK, TOO_LONG."""
    state = await about(act, by, ("customer",))
    judge(act, state, ("customer",), foreign=True)
    text = _body(body)
    note = fresh(
        tables.Note,
        workspace_id=act.workspace_id,
        customer_id=state.id,
        body=text,
        body_key=fold(text),
        author_kind=int(act.author.kind),
        author_id=act.author.id,
    )
    await record_writes.make(act, "Note", note, told)
    await _found_by(act, state)
    return note


async def update(act: Act, wire_id: str, body: str) -> Row:
    """By its author, or with NOTE_MANAGE. Raises Refused NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, BLANK, TOO_LONG."""
    found, state = await _one(act, wire_id)
    note = copied(found, tables.Note)
    note.body = _body(body)
    note.body_key = fold(note.body)
    if await record_writes.change(act, "Note", note, vars(copied(found, tables.Note)), told(found), told):
        await _found_by(act, state)
    return note


async def delete(act: Act, wire_id: str) -> Any:
    """By its author, or with NOTE_MANAGE. Raises Refused NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED."""
    note, state = await _one(act, wire_id)
    await record_writes.remove(act, "Note", note)
    await _found_by(act, state)
    return note


async def about(act: Act, by: Named, path: Path) -> State:
    """The customer that is named, held. Raises Refused NOT_FOUND at `path`."""
    identifier = await references.customer(act, by, path)
    found = await loaded_customer.load(act, [identifier], ()) if identifier else {}
    if identifier not in found:
        raise references.nobody(by, path)
    return found[identifier]


async def _one(act: Act, wire_id: str) -> tuple[Any, State]:
    """The note, and its customer, held."""
    identifier = wire_format.parse("Note", wire_id)
    found = await activities.in_sight(act.work, [identifier], tables.Note, act.viewer.sight) if identifier else {}
    if identifier is None or identifier not in found:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no note “{wire_id}” here.", ("id",))
    state = (await loaded_customer.load(act, [found[identifier].customer_id], ())).get(found[identifier].customer_id)
    note = (await activities.in_sight(act.work, [identifier], tables.Note, act.viewer.sight)).get(identifier)
    if state is None or note is None:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no note “{wire_id}” here.", ("id",))
    mine = (note.author_kind, note.author_id) == (act.author.kind, act.author.id)
    if not mine and not act.viewer.may(Permission.NOTE_MANAGE):
        message = "Somebody else wrote this note; only its author changes it, or who has NOTE_MANAGE."
        raise Refused(ErrorCode.FORBIDDEN, message, ("id",))
    judge(act, state, ("id",), foreign=True)
    return note, state


def _body(text: str) -> str:
    return text_values.needed(text, ("input", "body"), "a text", longest=LONGEST)


async def _found_by(act: Act, state: State) -> None:
    """The customer is found by the note from now on. It is no change of the customer."""
    await loaded_customer.more(act, [state], SEARCHED)
    state.parts = SEARCHED
    await persistence.search_texts(act, [state])
