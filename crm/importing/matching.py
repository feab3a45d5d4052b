"""Matches the rows of a file to existing customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from crm.errors import ErrorCode, InputError
from crm.importing.mapping import ImportRow
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db.queries.customers import customers, importing
from db.values import wire_format
from db.values.folding import email_key, normalize


class ImportMatch(IntEnum):
    EMAIL = 0
    PHONE = 1
    EXTERNAL_ID = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class MatchKey:
    """How rows are matched to customers. `system` is the external system for EXTERNAL_ID."""

    field: ImportMatch
    system: str | None = None
    country: str | None = None

    def key(self, row: ImportRow) -> str | None:
        """The key that the row is matched by; None if the row has none."""
        return next(iter(self.keys(row)), None)

    def keys(self, row: ImportRow) -> list[str | None]:
        """All keys by which later rows can find the row's customer, starting with the key that the row is matched
        by."""
        if self.field is ImportMatch.EMAIL:
            return [email_key(value) for value in _first_and_others(row.data, "email", "emails")]
        if self.field is ImportMatch.PHONE:
            return [_phone_number(value, self.country) for value in _first_and_others(row.data, "phone", "phones")]
        if self.field is ImportMatch.EXTERNAL_ID and self.system is not None:
            return [normalize(value) for value in row.systems.get(self.system, ())]
        return []


def _first_and_others(data: Mapping[str, Any], first: str, others: str) -> list[str]:
    return [value for value in (data.get(first), *data.get(others, ())) if value]


def _phone_number(text: str, country: str | None) -> str | None:
    try:
        return text_values.read_phone(text, country, ())
    except InputError:
        return None


async def find_matches(unit: UnitOfWork, matching: MatchKey, rows: Sequence[ImportRow]) -> list[Any]:
    """For each row the matching customer (`id`, `company_id`), or None. Adds an error to rows that match several
    customers or give an unknown id."""
    ids = {row.id: wire_format.decode_id("Customer", row.id) for row in rows if row.id}
    by_id = (
        await customers.by_ids(
            unit.transaction, [customer_id for customer_id in ids.values() if customer_id], unit.viewer.visibility
        )
        if ids
        else {}
    )
    keys = {row.number: matching.key(row) for row in rows if not row.id}
    by_key = await _load_holders(unit, matching, list({key for key in keys.values() if key}))
    matches: list[Any] = []
    for row in rows:
        if row.id:
            customer = by_id.get(ids[row.id] or b"")
            if customer is None:
                row.errors.append(
                    InputError(ErrorCode.NOT_FOUND, f"There is no customer “{row.id}” in this workspace.", ("id",))
                )
            matches.append(customer)
            continue
        holders = by_key.get(keys[row.number] or "", ())
        holder_ids = {customer_id.id for customer_id in holders}
        if len(holder_ids) > 1:
            message = (
                f"{len(holder_ids)} customers have “{keys[row.number]}”; merge them, or select one in a column “id”."
            )
            row.errors.append(InputError(ErrorCode.AMBIGUOUS, message, (_PATHS[matching.field],)))
        matches.append(holders[0] if holders else None)
    return matches


_PATHS = {
    ImportMatch.EMAIL: "email",
    ImportMatch.PHONE: "phone",
    ImportMatch.EXTERNAL_ID: "externalIds",
    ImportMatch.NONE: "id",
}


async def _load_holders(unit: UnitOfWork, matching: MatchKey, keys: Sequence[str]) -> Any:
    if not keys:
        return {}
    visibility = unit.viewer.visibility
    if matching.field is ImportMatch.EMAIL:
        return await importing.by_email(unit.transaction, keys, visibility)
    if matching.field is ImportMatch.PHONE:
        return await importing.by_phone(unit.transaction, keys, visibility)
    return await importing.by_external_id(unit.transaction, matching.system or "", keys, visibility)
