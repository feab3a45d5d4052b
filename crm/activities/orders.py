"""Orders: what a customer bought, here or elsewhere, the same one whenever source and number are (SM1, SB16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm import record_writes
from crm.activities import notes
from crm.customers import loaded_customer
from crm.customers.preconditions import judge
from crm.errors import ErrorCode, Refused
from crm.references import Named
from crm.unit_of_work import Act
from crm.values import text_values
from db import tables
from db.queries import activities
from db.rows import copied, fresh
from db.tables.enums import Outcome
from db.values import wire_format

Given = Mapping[str, Any]

_CUSTOMER = wire_format.wire("Customer")


@dataclass(frozen=True, slots=True)
class Done:
    order: Any
    outcome: Outcome


def told(row: Any) -> Mapping[str, Any]:
    return {
        "source": row.source,
        "number": row.number,
        "status": row.status,
        "total": None if row.total is None else wire_format.show_decimal(row.total),
        "currency": row.currency,
        "placedAt": wire_format.show_moment(row.placed_at),
        "lines": row.lines,
        "customer": _CUSTOMER(row.customer_id),
    }


async def upsert(act: Act, by: Named, given: Given) -> Done:
    """Makes the order, or changes the one with that source and number. Raises Refused."""
    state = await notes.about(act, by, ("customer",))
    judge(act, state, ("customer",), foreign=True)
    source = text_values.needed(given["source"], ("input", "source"), "a source", longest=text_values.WORD)
    number = text_values.needed(given["number"], ("input", "number"), "a number", longest=text_values.NAME)
    found = await activities.order_by_number(act.work, source, number)
    if found is None:
        row = fresh(tables.Order, workspace_id=act.workspace_id, customer_id=state.id, source=source, number=number)
        row.placed_at = act.now
        _take(row, given)
        return Done(await record_writes.make(act, "Order", row, told), Outcome.CREATED)
    if found.customer_id != state.id:
        message = f"The order {number} of {source} belongs to another customer; delete it there first."
        raise Refused(ErrorCode.TAKEN, message, ("input", "number"))
    row = copied(found, tables.Order)
    _take(row, given)
    changed = await record_writes.change(act, "Order", row, vars(copied(found, tables.Order)), told(found), told)
    return Done(row, Outcome.UPDATED if changed else Outcome.UNCHANGED)


async def delete(act: Act, wire_id: str) -> Done:
    """Raises Refused NOT_FOUND, CUSTOMER_ARCHIVED."""
    identifier = wire_format.parse("Order", wire_id)
    found = await activities.in_sight(act.work, [identifier], tables.Order, act.viewer.sight) if identifier else {}
    order = found.get(identifier) if identifier else None
    held = await loaded_customer.load(act, [order.customer_id], ()) if order is not None else {}
    if order is None or order.customer_id not in held:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no order “{wire_id}” here.", ("id",))
    judge(act, held[order.customer_id], ("id",), foreign=True)
    await record_writes.remove(act, "Order", order)
    return Done(order, Outcome.DELETED)


def _take(row: Any, given: Given) -> None:
    if "status" in given:
        row.status = text_values.text(given["status"], ("input", "status"), longest=text_values.WORD)
    if "total" in given:
        row.total = given["total"]
    if "currency" in given:
        row.currency = _currency(given["currency"])
    if given.get("placed_at") is not None:
        row.placed_at = given["placed_at"]
    if "lines" in given:
        row.lines = given["lines"]


def _currency(given: str | None) -> str | None:
    code = text_values.text(given, ("input", "currency"))
    if code is not None and not (len(code) == 3 and code.isascii() and code.isalpha()):
        message = f"“{code}” is no currency; give its three letters, such as VND or EUR."
        raise Refused(ErrorCode.INVALID, message, ("input", "currency"))
    return code and code.upper()
