"""Orders: what a customer bought, here or elsewhere, the same one whenever source and number are (SM1, SB16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm import record_writes
from crm.activities import notes
from crm.customers import loaded_customer
from crm.customers.preconditions import check_preconditions
from crm.errors import ErrorCode, InputError
from crm.references import CustomerReference
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.queries import activities
from db.rows import copy_row, new_row
from db.tables.enums import Outcome
from db.values import wire_format

OrderData = Mapping[str, Any]

_CUSTOMER = wire_format.id_encoder("Customer")


@dataclass(frozen=True, slots=True)
class OrderResult:
    order: Any
    outcome: Outcome


def log_snapshot(row: Any) -> Mapping[str, Any]:
    return {
        "source": row.source,
        "number": row.number,
        "status": row.status,
        "total": None if row.total is None else wire_format.format_decimal(row.total),
        "currency": row.currency,
        "placedAt": wire_format.format_moment(row.placed_at),
        "lines": row.lines,
        "customer": _CUSTOMER(row.customer_id),
    }


async def upsert(unit: UnitOfWork, by: CustomerReference, given: OrderData) -> OrderResult:
    """Makes the order, or changes the one with that source and number. Raises InputError."""
    state = await notes.load_customer_of(unit, by, ("customer",))
    check_preconditions(unit, state, ("customer",), foreign=True)
    source = text_values.read_required_text(
        given["source"], ("input", "source"), "a source", longest=text_values.MAX_WORD_LENGTH
    )
    number = text_values.read_required_text(
        given["number"], ("input", "number"), "a number", longest=text_values.MAX_NAME_LENGTH
    )
    found = await activities.order_by_number(unit.transaction, source, number)
    if found is None:
        row = new_row(tables.Order, workspace_id=unit.workspace_id, customer_id=state.id, source=source, number=number)
        row.placed_at = unit.now
        _take(row, given)
        return OrderResult(await record_writes.create_record(unit, "Order", row, log_snapshot), Outcome.CREATED)
    if found.customer_id != state.id:
        message = f"The order {number} of {source} belongs to another customer; delete it there first."
        raise InputError(ErrorCode.TAKEN, message, ("input", "number"))
    row = copy_row(found, tables.Order)
    _take(row, given)
    changed = await record_writes.update_record(
        unit, "Order", row, vars(copy_row(found, tables.Order)), log_snapshot(found), log_snapshot
    )
    return OrderResult(row, Outcome.UPDATED if changed else Outcome.UNCHANGED)


async def delete(unit: UnitOfWork, wire_id: str) -> OrderResult:
    """Raises InputError NOT_FOUND, CUSTOMER_ARCHIVED."""
    identifier = wire_format.decode_id("Order", wire_id)
    found = (
        await activities.visible_by_ids(unit.transaction, [identifier], tables.Order, unit.viewer.visibility)
        if identifier
        else {}
    )
    order = found.get(identifier) if identifier else None
    held = await loaded_customer.load_customers(unit, [order.customer_id], ()) if order is not None else {}
    if order is None or order.customer_id not in held:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no order “{wire_id}” here.", ("id",))
    check_preconditions(unit, held[order.customer_id], ("id",), foreign=True)
    await record_writes.delete_record(unit, "Order", order)
    return OrderResult(order, Outcome.DELETED)


def _take(row: Any, given: OrderData) -> None:
    if "status" in given:
        row.status = text_values.read_text(given["status"], ("input", "status"), longest=text_values.MAX_WORD_LENGTH)
    if "total" in given:
        row.total = given["total"]
    if "currency" in given:
        row.currency = _currency(given["currency"])
    if given.get("placed_at") is not None:
        row.placed_at = given["placed_at"]
    if "lines" in given:
        row.lines = given["lines"]


def _currency(given: str | None) -> str | None:
    code = text_values.read_text(given, ("input", "currency"))
    if code is not None and not (len(code) == 3 and code.isascii() and code.isalpha()):
        message = f"“{code}” is no currency; give its three letters, such as VND or EUR."
        raise InputError(ErrorCode.INVALID, message, ("input", "currency"))
    return code and code.upper()
