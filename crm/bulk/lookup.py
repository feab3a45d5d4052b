"""Finds the customers that many rows refer to."""

from collections.abc import Mapping, Sequence

from crm.errors import ErrorCode, InputError
from crm.references import CustomerReference
from crm.unit_of_work import UnitOfWork
from db.queries import accounts
from db.queries.customers import customers
from db.values import wire_format
from db.values.folding import fold, normalize


async def find_customers(
    unit: UnitOfWork, references_by_row: Mapping[int, CustomerReference], *, column: str = "by"
) -> Mapping[int, bytes | InputError | None]:
    """The id of the visible customer that each row refers to: None if there is none, an InputError if several match.

    It runs a handful of statements for any number of rows."""
    visibility = unit.viewer.visibility
    ids = {row: wire_format.decode_id("Customer", by["id"]) for row, by in references_by_row.items() if "id" in by}
    pairs = {row: _pair(by["external_id"]) for row, by in references_by_row.items() if "external_id" in by}
    emails = {row: fold(by["email"]) for row, by in references_by_row.items() if "email" in by}
    holders = await customers.ids_by_external_id(unit.transaction, list(set(pairs.values()))) if pairs else {}
    ids_to_load = {identifier for identifier in ids.values() if identifier} | set(holders.values())
    visible = await customers.by_ids(unit.transaction, list(ids_to_load), visibility) if ids_to_load else {}
    addressed = await customers.by_emails(unit.transaction, list(set(emails.values())), visibility) if emails else {}
    results: dict[int, bytes | InputError | None] = {}
    for row, identifier in ids.items():
        results[row] = visible[identifier].id if identifier in visible and identifier is not None else None
    for row, pair in pairs.items():
        holder = holders.get(pair)
        results[row] = visible[holder].id if holder is not None and holder in visible else None
    for row, key in emails.items():
        matches = addressed.get(key, ())
        results[row] = matches[0] if len(matches) == 1 else None
        if len(matches) > 1:
            message = (
                f"More than one customer has the email address {references_by_row[row]['email']}; select one "
                "of them by id."
            )
            results[row] = InputError(ErrorCode.AMBIGUOUS, message, ("rows", row, column))
    return results


def _pair(data: Mapping[str, str]) -> tuple[str, str]:
    return normalize(data["system"]), normalize(data["value"])


async def lock_email_addresses(unit: UnitOfWork, emails: Sequence[str]) -> None:
    """Locks the addresses until commit. Addresses are not unique, so only this lock prevents two callers from creating
    the same customer."""
    keys = sorted({f"customer {unit.workspace_id} {fold(email)}" for email in emails})
    for start in range(0, len(keys), 2):
        await accounts.lock_names(unit.transaction, keys[start : start + 2])
