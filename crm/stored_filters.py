"""Stored filters and sorts: their validation, and the custom fields that they refer to."""

from collections.abc import Iterator
from typing import Any

from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.unit_of_work import UnitOfWork
from db.filtering.errors import QueryError
from db.queries.matching import matches, stored_filters
from db.queries.matching.matches import CustomerQuery
from db.tables.enums import EntityType
from db.visibility import Visibility

# Below these keys the conditions of a filter are about another kind of record.
_ENTITY_BY_KEY = {"company": EntityType.COMPANY, "customers": EntityType.CUSTOMER}


async def check_stored_filter(
    unit: UnitOfWork, *, filter: Any = None, search: str | None = None, sort: Any = None, path: Path | None = None
) -> None:
    """Raises InputError if the filter, search or sort is invalid: at the part of the input, unless a path is given."""
    query = CustomerQuery(filter=filter, search=search, sort=sort)
    visibility = Visibility(sees_all=True)
    try:
        await matches.compile_query(
            unit.transaction, query, visibility=visibility, agent_id=unit.viewer.agent_id, now=unit.now
        )
    except QueryError as error:
        raise input_error(error, path or ("input", *error.path)) from None


def input_error(error: QueryError, path: Path) -> InputError:
    """Converts a query error into an input error."""
    if error.limit is not None:
        return LimitError(error.message, path, limit=error.limit, current=error.limit + 1)
    return InputError(ErrorCode.__members__.get(error.reason, ErrorCode.INVALID), error.message, path)


def custom_fields_in(stored: Any, entity: EntityType = EntityType.CUSTOMER) -> Iterator[tuple[EntityType, str]]:
    """The custom fields that a stored filter or sort of customers refers to, by entity and key."""
    if isinstance(stored, list):
        for part in stored:
            yield from custom_fields_in(part, entity)
    if not isinstance(stored, dict):
        return
    for name, value in stored.items():
        if name == "customFields" and isinstance(value, list):
            yield from ((entity, part["key"]) for part in value if isinstance(part, dict) and "key" in part)
        elif name == "customField" and isinstance(value, dict) and "key" in value:
            yield entity, value["key"]
        else:
            yield from custom_fields_in(value, _ENTITY_BY_KEY.get(name, entity))


async def user_of_field(unit: UnitOfWork, entity: EntityType, key: str) -> str | None:
    """The name of a record that filters or sorts by the field, such as: the segment “Regulars”. None if there is
    none."""
    for kind, rows in (await stored_filters.all_stored_filters(unit.transaction)).items():
        for row in rows:
            if (entity, key) in {*custom_fields_in(row.filter), *custom_fields_in(row.sort)}:
                return f"the {kind} “{row.name}”"
    return None
