"""Orders: purchases of a customer, here or elsewhere. Source and number identify an order (SM1, SB16)."""

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

_encode_customer_id = wire_format.id_encoder("Customer")


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
        "customer": _encode_customer_id(row.customer_id),
    }


async def upsert(unit: UnitOfWork, reference: CustomerReference, data: OrderData) -> OrderResult:
    """Creates the order, or updates the one with that source and number. Raises InputError."""
    state = await notes.load_customer_of(unit, reference, ("customer",))
    check_preconditions(unit, state, ("customer",), foreign=True)
    source = text_values.read_required_text(
        data["source"], ("input", "source"), "a source", max_length=text_values.MAX_WORD_LENGTH
    )
    number = text_values.read_required_text(
        data["number"], ("input", "number"), "a number", max_length=text_values.MAX_NAME_LENGTH
    )
    stored_order = await activities.order_by_number(unit.transaction, source, number)
    if stored_order is None:
        row = new_row(tables.Order, workspace_id=unit.workspace_id, customer_id=state.id, source=source, number=number)
        row.placed_at = unit.now
        _set_columns(row, data)
        return OrderResult(await record_writes.create_record(unit, "Order", row, log_snapshot), Outcome.CREATED)
    if stored_order.customer_id != state.id:
        message = f"The order {number} of {source} belongs to another customer; delete that order first."
        raise InputError(ErrorCode.TAKEN, message, ("input", "number"))
    row = copy_row(stored_order, tables.Order)
    _set_columns(row, data)
    is_changed = await record_writes.update_record(
        unit, "Order", row, vars(copy_row(stored_order, tables.Order)), log_snapshot(stored_order), log_snapshot
    )
    return OrderResult(row, Outcome.UPDATED if is_changed else Outcome.UNCHANGED)


async def delete(unit: UnitOfWork, wire_id: str) -> OrderResult:
    """Deletes an order. Raises InputError NOT_FOUND, CUSTOMER_ARCHIVED."""
    identifier = wire_format.decode_id("Order", wire_id)
    orders_by_id = (
        await activities.visible_by_ids(unit.transaction, [identifier], tables.Order, unit.viewer.visibility)
        if identifier
        else {}
    )
    order = orders_by_id.get(identifier) if identifier else None
    customers_by_id = await loaded_customer.load_customers(unit, [order.customer_id], ()) if order is not None else {}
    if order is None or order.customer_id not in customers_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no order “{wire_id}” in this workspace.", ("id",))
    check_preconditions(unit, customers_by_id[order.customer_id], ("id",), foreign=True)
    await record_writes.delete_record(unit, "Order", order)
    return OrderResult(order, Outcome.DELETED)


def _set_columns(row: Any, data: OrderData) -> None:
    if "status" in data:
        row.status = text_values.read_text(data["status"], ("input", "status"), max_length=text_values.MAX_WORD_LENGTH)
    if "total" in data:
        row.total = data["total"]
    if "currency" in data:
        row.currency = _read_currency(data["currency"])
    if data.get("placed_at") is not None:
        row.placed_at = data["placed_at"]
    if "lines" in data:
        row.lines = data["lines"]


def _read_currency(text: str | None) -> str | None:
    code = text_values.read_text(text, ("input", "currency"))
    if code is not None and not (len(code) == 3 and code.isascii() and code.isalpha()):
        message = f"“{code}” is not a currency; enter its three letters, such as VND or EUR."
        raise InputError(ErrorCode.INVALID, message, ("input", "currency"))
    return code and code.upper()
