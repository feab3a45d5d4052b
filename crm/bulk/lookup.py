"""Customers that many rows name, looked up together."""

from collections.abc import Mapping, Sequence

from crm.errors import ErrorCode, Refused
from crm.references import Named
from crm.unit_of_work import Act
from db.queries import accounts
from db.queries.customers import customers
from db.values import wire_format
from db.values.folding import fold, normal


async def customers_named(
    act: Act, named: Mapping[int, Named], *, column: str = "by"
) -> Mapping[int, bytes | Refused | None]:
    """For each row the id of the customer in sight that it names, None where there is none, or why it cannot be told:
    a handful of statements, however many rows."""
    sight = act.viewer.sight
    ids = {row: wire_format.parse("Customer", by["id"]) for row, by in named.items() if "id" in by}
    pairs = {row: _pair(by["external_id"]) for row, by in named.items() if "external_id" in by}
    emails = {row: fold(by["email"]) for row, by in named.items() if "email" in by}
    holders = await customers.holders(act.work, list(set(pairs.values()))) if pairs else {}
    wanted = {one for one in ids.values() if one} | set(holders.values())
    seen = await customers.by_ids(act.work, list(wanted), sight) if wanted else {}
    addressed = await customers.by_emails(act.work, list(set(emails.values())), sight) if emails else {}
    found: dict[int, bytes | Refused | None] = {}
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
            found[row] = Refused(ErrorCode.AMBIGUOUS, message, ("rows", row, column))
    return found


def _pair(given: Mapping[str, str]) -> tuple[str, str]:
    return normal(given["system"]), normal(given["value"])


async def take_turns(act: Act, emails: Sequence[str]) -> None:
    """Addresses are not unique, so nothing else keeps two callers from making the same customer."""
    keys = sorted({f"customer {act.workspace_id} {fold(one)}" for one in emails})
    for start in range(0, len(keys), 2):
        await accounts.take_turn(act.work, keys[start : start + 2])
