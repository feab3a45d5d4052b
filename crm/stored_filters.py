"""Filters and sorts that are kept: what can be kept, and which custom fields they name, which then stay as they are."""

from collections.abc import Iterator
from typing import Any

from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.unit_of_work import UnitOfWork
from db.filtering.errors import QueryError
from db.queries.matching import matches, stored_filters
from db.queries.matching.matches import CustomerQuery
from db.tables.enums import EntityType
from db.visibility import Visibility

# Below these keys of a filter the conditions are about another kind of record.
_ENTERS = {"company": EntityType.COMPANY, "customers": EntityType.CUSTOMER}


async def check_stored_filter(
    unit: UnitOfWork, *, filter: Any = None, search: str | None = None, sort: Any = None, path: Path | None = None
) -> None:
    """Raises InputError where it cannot be asked here and now: at the very part of the input, unless a path is given."""
    question = CustomerQuery(filter=filter, search=search, sort=sort)
    everybody = Visibility(sees_all=True)
    try:
        await matches.compile_query(
            unit.transaction, question, visibility=everybody, agent_id=unit.viewer.agent_id, now=unit.now
        )
    except QueryError as refusal:
        raise input_error(refusal, path or ("input", *refusal.path)) from None


def input_error(refusal: QueryError, path: Path) -> InputError:
    """What cannot be asked, as what a person can mend."""
    if refusal.limit is not None:
        return LimitError(refusal.message, path, limit=refusal.limit, current=refusal.limit + 1)
    return InputError(ErrorCode.__members__.get(refusal.reason, ErrorCode.INVALID), refusal.message, path)


def custom_fields_in(stored: Any, entity: EntityType = EntityType.CUSTOMER) -> Iterator[tuple[EntityType, str]]:
    """The custom fields that a stored filter or sort of customers names, by entity and key."""
    if isinstance(stored, list):
        for one in stored:
            yield from custom_fields_in(one, entity)
    if not isinstance(stored, dict):
        return
    for name, value in stored.items():
        if name == "customFields" and isinstance(value, list):
            yield from ((entity, one["key"]) for one in value if isinstance(one, dict) and "key" in one)
        elif name == "customField" and isinstance(value, dict) and "key" in value:
            yield entity, value["key"]
        else:
            yield from custom_fields_in(value, _ENTERS.get(name, entity))


async def user_of_field(unit: UnitOfWork, entity: EntityType, key: str) -> str | None:
    """Who filters or sorts by the field, for people: the segment “Regulars”. None where nobody does."""
    for kind, rows in (await stored_filters.all_stored_filters(unit.transaction)).items():
        for row in rows:
            if (entity, key) in {*custom_fields_in(row.filter), *custom_fields_in(row.sort)}:
                return f"the {kind} “{row.name}”"
    return None
