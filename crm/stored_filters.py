"""Filters and sorts that are kept: what can be kept, and which custom fields they name, which then stay as they are."""

from collections.abc import Iterator
from typing import Any

from crm.errors import ErrorCode, LimitRefused, Path, Refused
from crm.unit_of_work import Act
from db.filtering.errors import QuestionRefused
from db.queries.matching import matches, stored_filters
from db.queries.matching.matches import Question
from db.tables.enums import EntityType
from db.visibility import Sight

# Below these keys of a filter the conditions are about another kind of record.
_ENTERS = {"company": EntityType.COMPANY, "customers": EntityType.CUSTOMER}


async def check(
    act: Act, *, filter: Any = None, search: str | None = None, sort: Any = None, path: Path | None = None
) -> None:
    """Raises Refused where it cannot be asked here and now: at the very part of the input, unless a path is given."""
    question = Question(filter=filter, search=search, sort=sort)
    everybody = Sight(everything=True)
    try:
        await matches.asked(act.work, question, sight=everybody, agent_id=act.viewer.agent_id, now=act.now)
    except QuestionRefused as refusal:
        raise refused(refusal, path or ("input", *refusal.path)) from None


def refused(refusal: QuestionRefused, path: Path) -> Refused:
    """What cannot be asked, as what a person can mend."""
    if refusal.limit is not None:
        return LimitRefused(refusal.message, path, limit=refusal.limit, current=refusal.limit + 1)
    return Refused(ErrorCode.__members__.get(refusal.reason, ErrorCode.INVALID), refusal.message, path)


def fields(stored: Any, entity: EntityType = EntityType.CUSTOMER) -> Iterator[tuple[EntityType, str]]:
    """The custom fields that a stored filter or sort of customers names, by entity and key."""
    if isinstance(stored, list):
        for one in stored:
            yield from fields(one, entity)
    if not isinstance(stored, dict):
        return
    for name, value in stored.items():
        if name == "customFields" and isinstance(value, list):
            yield from ((entity, one["key"]) for one in value if isinstance(one, dict) and "key" in one)
        elif name == "customField" and isinstance(value, dict) and "key" in value:
            yield entity, value["key"]
        else:
            yield from fields(value, _ENTERS.get(name, entity))


async def user_of(act: Act, entity: EntityType, key: str) -> str | None:
    """Who filters or sorts by the field, for people: the segment “Regulars”. None where nobody does."""
    for kind, rows in (await stored_filters.stored(act.work)).items():
        for row in rows:
            if (entity, key) in {*fields(row.filter), *fields(row.sort)}:
                return f"the {kind} “{row.name}”"
    return None
