"""Customers that many rows name, looked up together."""

from collections.abc import Mapping, Sequence

from crm.errors import ErrorCode, InputError
from crm.references import CustomerReference
from crm.unit_of_work import UnitOfWork
from db.queries import accounts
from db.queries.customers import customers
from db.values import wire_format
from db.values.folding import fold, normalize


async def find_customers(
    unit: UnitOfWork, named: Mapping[int, CustomerReference], *, column: str = "by"
) -> Mapping[int, bytes | InputError | None]:
    """For each row the id of the customer in sight that it names, None where there is none, or why it cannot be told:
    a handful of statements, however many rows."""
    visibility = unit.viewer.visibility
    ids = {row: wire_format.decode_id("Customer", by["id"]) for row, by in named.items() if "id" in by}
    pairs = {row: _pair(by["external_id"]) for row, by in named.items() if "external_id" in by}
    emails = {row: fold(by["email"]) for row, by in named.items() if "email" in by}
    holders = await customers.ids_by_external_id(unit.transaction, list(set(pairs.values()))) if pairs else {}
    wanted = {one for one in ids.values() if one} | set(holders.values())
    seen = await customers.by_ids(unit.transaction, list(wanted), visibility) if wanted else {}
    addressed = await customers.by_emails(unit.transaction, list(set(emails.values())), visibility) if emails else {}
    found: dict[int, bytes | InputError | None] = {}
    for row, one in ids.items():
        found[row] = seen[one].id if one in seen and one is not None else None
    for row, pair in pairs.items():
        holder = holders.get(pair)
        found[row] = seen[holder].id if holder is not None and holder in seen else None
    for row, key in emails.items():
        several = addressed.get(key, ())
        found[row] = several[0] if len(several) == 1 else None
        if len(several) > 1:
            message = f"More than one customer has the address {named[row]['email']}; name one by id."
            found[row] = InputError(ErrorCode.AMBIGUOUS, message, ("rows", row, column))
    return found


def _pair(given: Mapping[str, str]) -> tuple[str, str]:
    return normalize(given["system"]), normalize(given["value"])


async def lock_email_addresses(unit: UnitOfWork, emails: Sequence[str]) -> None:
    """Addresses are not unique, so nothing else keeps two callers from making the same customer."""
    keys = sorted({f"customer {unit.workspace_id} {fold(one)}" for one in emails})
    for start in range(0, len(keys), 2):
        await accounts.lock_names(unit.transaction, keys[start : start + 2])
