"""Whom each row means among the customers there are."""

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
    """How rows find their customers; `system` is whose ids are meant by EXTERNAL_ID."""

    field: ImportMatch
    system: str | None = None
    country: str | None = None

    def key(self, row: ImportRow) -> str | None:
        """What the row is known by; None where it says nothing of the kind."""
        return next(iter(self.keys(row)), None)

    def keys(self, row: ImportRow) -> list[str | None]:
        """All that the row's customer will be found by, the one that the row is known by first."""
        if self.field is ImportMatch.EMAIL:
            return [email_key(one) for one in _both(row.data, "email", "emails")]
        if self.field is ImportMatch.PHONE:
            return [_number(one, self.country) for one in _both(row.data, "phone", "phones")]
        if self.field is ImportMatch.EXTERNAL_ID and self.system is not None:
            return [normalize(one) for one in row.systems.get(self.system, ())]
        return []


def _both(given: Mapping[str, Any], first: str, several: str) -> list[str]:
    return [one for one in (given.get(first), *given.get(several, ())) if one]


def _number(text: str, country: str | None) -> str | None:
    try:
        return text_values.read_phone(text, country, ())
    except InputError:
        return None


async def find_matches(unit: UnitOfWork, matching: MatchKey, rows: Sequence[ImportRow]) -> list[Any]:
    """For each row the customer it means (`id`, `company_id`), or None. Refuses a row that means several, or one by an
    id that is nobody's."""
    ids = {row.id: wire_format.decode_id("Customer", row.id) for row in rows if row.id}
    by_id = (
        await customers.by_ids(unit.transaction, [one for one in ids.values() if one], unit.viewer.visibility)
        if ids
        else {}
    )
    keys = {row.number: matching.key(row) for row in rows if not row.id}
    by_key = await _holders(unit, matching, list({key for key in keys.values() if key}))
    found: list[Any] = []
    for row in rows:
        if row.id:
            customer = by_id.get(ids[row.id] or b"")
            if customer is None:
                row.errors.append(InputError(ErrorCode.NOT_FOUND, f"There is no customer “{row.id}” here.", ("id",)))
            found.append(customer)
            continue
        held = by_key.get(keys[row.number] or "", ())
        several = {one.id for one in held}
        if len(several) > 1:
            message = f"{len(several)} customers have “{keys[row.number]}”; merge them, or name one in a column “id”."
            row.errors.append(InputError(ErrorCode.AMBIGUOUS, message, (_PATHS[matching.field],)))
        found.append(held[0] if held else None)
    return found


_PATHS = {
    ImportMatch.EMAIL: "email",
    ImportMatch.PHONE: "phone",
    ImportMatch.EXTERNAL_ID: "externalIds",
    ImportMatch.NONE: "id",
}


async def _holders(unit: UnitOfWork, matching: MatchKey, keys: Sequence[str]) -> Any:
    if not keys:
        return {}
    visibility = unit.viewer.visibility
    if matching.field is ImportMatch.EMAIL:
        return await importing.by_email(unit.transaction, keys, visibility)
    if matching.field is ImportMatch.PHONE:
        return await importing.by_phone(unit.transaction, keys, visibility)
    return await importing.by_external_id(unit.transaction, matching.system or "", keys, visibility)
