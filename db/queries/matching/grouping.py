"""Groupings of customers: by a field, a calendar period, a custom field or a tag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, bindparam, case
from sqlalchemy import literal_column as literally
from sqlalchemy.orm import aliased

from db import tables
from db.filtering import custom_fields, relative_dates
from db.filtering.errors import QueryError, invalid_query
from db.filtering.filter_context import FilterContext
from db.statements import in_workspace
from db.tables.column_types import Id
from db.tables.enums import CustomFieldType, EntityType
from db.values.time_units import MS_PER_DAY

MAX_GROUP_KEYS: Final = 3
"""Maximum number of keys of a grouping."""

GROUP_FIELDS: Final[Mapping[str, str]] = {
    "RELATIONSHIP_STATUS": "relationship_status",
    "SUBSCRIPTION_STATUS": "subscription_status",
    "STAGE": "stage",
    "SOURCE": "source",
    "CHANNEL": "channel",
    "GENDER": "gender",
    "COUNTRY": "country",
    "COMPANY": "company_id",
    "OWNER": "owner_id",
    "DEPARTMENT": "department_id",
    "FOLLOW_UP_STAGE": "follow_up_stage",
}

_MOMENTS: Final[Mapping[str, str]] = {"createdAt": "created_at", "lastInteractionAt": "last_interaction_at"}
_FIELD_COLUMNS: Final[Mapping[CustomFieldType, str]] = {
    **custom_fields.SORTED_COLUMNS,
    CustomFieldType.SELECT: "option",
    CustomFieldType.MULTI_SELECT: "option",
}
# Added before a division and subtracted afterwards: division rounds towards zero, and days before 1970 are negative.
_SHIFT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class GroupKeyPart:
    """One key: a column ("column"), tags ("tag"), days of a time ("day") or a custom field ("field")."""

    kind: str
    name: str
    grain: str | None = None
    zone: str = "UTC"
    field: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The keys of groups, in order. Equal for equal SQL."""

    parts: tuple[GroupKeyPart, ...] = ()

    @property
    def bound(self) -> dict[str, Any]:
        return {f"g{place}": part.field.id for place, part in enumerate(self.parts) if part.kind == "field"}

    @property
    def tags(self) -> bool:
        """Whether tags are the only key."""
        return [part.kind for part in self.parts] == ["tag"]

    @property
    def needs_no_rows(self) -> bool:
        """Whether each SQL group is a complete group."""
        return all(part.grain in (None, "DAY") for part in self.parts)

    def attached(self, found: Select[Any], row: Any) -> tuple[Select[Any], list[Any]]:
        """Adds what the keys need to the query, and returns the keys: key_0, key_1 …"""
        keys = []
        for place, part in enumerate(self.parts):
            found, key = _attached(found, row, part, place)
            keys.append(key.label(f"key_{place}"))
        return found, keys

    def key(self, row: Any) -> tuple[Any, ...]:
        """The key values of a row's group: stored values, and the first day of a period."""
        return tuple(_key(part, getattr(row, f"key_{place}")) for place, part in enumerate(self.parts))


UNGROUPED: Final = Grouping()


def parse_grouping(plain: Sequence[Any], known: FilterContext) -> Grouping:
    """Parses a list of one-key objects. Raises QueryError."""
    path = ("by",)
    if not plain:
        raise invalid_query("Groups need at least one key in `by`.", path)
    if len(plain) > MAX_GROUP_KEYS:
        raise QueryError(
            "LIMIT_EXCEEDED",
            f"Groups have at most {MAX_GROUP_KEYS} keys, not {len(plain)}.",
            path,
            limit=MAX_GROUP_KEYS,
        )
    return Grouping(tuple(_part(one, known, (*path, str(place))) for place, one in enumerate(plain)))


def _part(plain: Any, known: FilterContext, path: tuple[str, ...]) -> GroupKeyPart:
    ((name, given),) = plain.items()
    if name == "customField":
        found = custom_fields.find_field(known, EntityType.CUSTOMER, given, (*path, name))
        column = _FIELD_COLUMNS.get(CustomFieldType(found.type), "text")
        return GroupKeyPart("field", column, field=found)
    if name == "field" and given == "TAG":
        return GroupKeyPart("tag", "tag_id")
    if name == "field":
        return GroupKeyPart("column", GROUP_FIELDS[given])
    return GroupKeyPart("day", _MOMENTS[name], given, str(known.clock.zone))


def _attached(found: Select[Any], row: Any, part: GroupKeyPart, place: int) -> tuple[Select[Any], Any]:
    if part.kind == "tag":
        worn: Any = aliased(tables.CustomerTag)
        return found.outerjoin(worn, and_(in_workspace(worn), worn.customer_id == row.id)), worn.tag_id
    if part.kind == "field":
        value: Any = aliased(tables.CustomerValue)
        of_field = value.field_id == bindparam(f"g{place}", type_=Id)
        return (
            found.outerjoin(value, and_(in_workspace(value), value.customer_id == row.id, of_field)),
            getattr(value, part.name),
        )
    column = getattr(row, part.name)
    return found, _day(column, part.zone) if part.kind == "day" else column


def _day(moment: Any, zone: str) -> Any:
    """The number of the local day since 1970-01-01."""
    offsets = _offsets(zone)
    local = moment + literally(str(_SHIFT * MS_PER_DAY + offsets[0][1]))
    if len(offsets) > 1:
        *steps, (_, first) = reversed(offsets)
        offset = case(
            *((moment >= literally(str(since)), literally(str(by))) for since, by in steps), else_=literally(str(first))
        )
        local = moment + offset + literally(str(_SHIFT * MS_PER_DAY))
    return local.op("/", precedence=8)(literally(str(MS_PER_DAY))).op("-", precedence=7)(literally(str(_SHIFT)))


@lru_cache(maxsize=50)
def _offsets(zone: str) -> Sequence[tuple[int, int]]:
    """The offsets of the zone in milliseconds with the times they start at, from 1970 to 2038, in order."""
    return relative_dates.date_offsets(ZoneInfo(zone))


def _key(part: GroupKeyPart, value: Any) -> Any:
    if part.kind != "day" or value is None:
        return value
    day = date(1970, 1, 1) + timedelta(days=value)
    if part.grain == "WEEK":
        return day - timedelta(days=day.weekday())
    if part.grain == "DAY":
        return day
    month = {"MONTH": day.month, "QUARTER": day.month - (day.month - 1) % 3, "YEAR": 1}[str(part.grain)]
    return day.replace(month=month, day=1)
