"""Totals of customers, over a match and by groups. Each is computed only if selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal as Exact
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import Info

from db.filtering import custom_fields
from db.queries.catalogue import agents, companies, departments, tags
from db.queries.matching import filter_contexts, grouping, totals
from db.queries.matching.grouping import UNGROUPED, Grouping, GroupKeyPart
from db.queries.matching.totals import CustomerTotals, NumberTotals
from db.tables.enums import CustomFieldType, EntityType
from db.values import wire_format
from graph.catalogue.custom_fields import FieldKeyArgument
from graph.context import Context
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.top_level import BadUserInput
from graph.filtering import list_arguments
from graph.filtering.filter_inputs import filter_field, filter_input
from graph.types import ids
from graph.types.connections import ListBatch, ListHandle
from graph.types.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, describe_values
from graph.types.nodes import Node
from graph.types.scalars import DateTime, Decimal


class DateGrain(Enum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


CustomerGroupField = Enum("CustomerGroupField", {name: name for name in [*grouping.GROUP_FIELDS, "TAG"]})  # type: ignore[misc]

describe_values(
    DateGrain,
    "A calendar period in the workspace's time zone.",
    DAY="A day.",
    WEEK="A week, starting on Monday.",
    MONTH="A month.",
    QUARTER="A quarter of a year.",
    YEAR="A year.",
)
describe_values(
    CustomerGroupField,
    "A field to group customers by.",
    RELATIONSHIP_STATUS="Relationship status.",
    SUBSCRIPTION_STATUS="Subscription status.",
    STAGE="Stage.",
    SOURCE="Origin of the customer.",
    CHANNEL="Preferred channel.",
    GENDER="Their gender.",
    COUNTRY="Country of the address.",
    COMPANY="Company.",
    OWNER="Owner.",
    DEPARTMENT="Department.",
    FOLLOW_UP_STAGE="Follow-up stage.",
    TAG="Tags. A customer with several tags is in several groups.",
)


@filter_input("Grouping of customers: exactly one of the fields.", one_of=True)
class CustomerGroupBy:
    field: CustomerGroupField | None = filter_field("A field.")
    created_at: DateGrain | None = filter_field("Time of creation.")
    last_interaction_at: DateGrain | None = filter_field("Time of the last interaction.")
    custom_field: str | None = filter_field(
        "A custom field, by its key. Each option of a MULTI_SELECT field is a group."
    )


@strawberry.type(description="Totals of decimal values.")
class DecimalAggregate:
    sum: Decimal | None = column("Sum; 0 if there are no values.")
    avg: Decimal | None = column("Average, to four decimal places; null if there are no values.")
    min: Decimal | None = column("Minimum; null if there are no values.")
    max: Decimal | None = column("Maximum; null if there are no values.")
    count_null: int = column("Number of customers without a value.")


@strawberry.type(description="Range of times.")
class DateTimeRange:
    min: DateTime | None = column("Earliest time; null if there are no values.")
    max: DateTime | None = column("Latest time; null if there are no values.")


@strawberry.type(description="Totals of customers.")
class CustomerAggregate:
    count: int = column("Number of customers.")
    phone_count: int = column("Total number of phone numbers.")
    email_count: int = column("Total number of e-mail addresses.")
    value: DecimalAggregate = column("Totals of `Customer.value`.")
    created_at: DateTimeRange = column("Time of creation.")

    @batched("Totals of a custom field of type NUMBER.")
    async def custom_field(parents: ParentRows, info: Info, key: FieldKeyArgument) -> list[DecimalAggregate | None]:
        return await _numbers(info.context, parents, key)


@strawberry.type(description="One key that the customers of a group share.")
class GroupKey:
    value: str | None = column(
        "Value of the group: an enum name, an id or the first day of a period; null for customers without a value."
    )
    label: str | None = column("Label of the value for people.")

    @batched("Record that the value refers to; null for other values.", from_parent=True)
    async def node(parents: ParentRows, info: Info) -> list[Node | None]:
        return [key.record for key in parents]


@strawberry.type(description="A group of customers.")
class CustomerGroup:
    keys: list[GroupKey] = column("Keys of the group, in the order of `by`.")
    aggregate: CustomerAggregate = column("Their totals.")


@dataclass(slots=True)
class DecimalTotals:
    sum: Any
    avg: Any
    min: Any
    max: Any
    count_null: int


@dataclass(slots=True)
class DateTimeTotals:
    min: int | None
    max: int | None


@dataclass(slots=True)
class AggregateTotals:
    """A CustomerAggregate: the totals of one group of one list."""

    totals: CustomerTotals
    lists: ListBatch
    list_key: Any
    by: Grouping
    key: tuple[Any, ...]

    @property
    def count(self) -> int:
        return self.totals.count

    @property
    def phone_count(self) -> int:
        return self.totals.phone_count

    @property
    def email_count(self) -> int:
        return self.totals.email_count

    @property
    def value(self) -> DecimalTotals:
        found = self.totals
        return DecimalTotals(found.sum, found.average, found.min, found.max, 0)

    @property
    def created_at(self) -> DateTimeTotals:
        return DateTimeTotals(self.totals.first, self.totals.last)


@dataclass(slots=True)
class GroupTotals:
    keys: list["GroupKeyValue"]
    aggregate: AggregateTotals


@dataclass(slots=True)
class GroupKeyValue:
    """A GroupKey."""

    value: str | None
    label: str | None
    record: Any = None


async def load_aggregates(context: Context, parents: Sequence[ListHandle]) -> list[Any]:
    """The totals of each list."""
    found = {id(lists): await _totals(context, lists, UNGROUPED, None) for lists in _distinct(parents)}
    return [
        AggregateTotals(
            found[id(one.lists)].get(one.key, {}).get((), CustomerTotals()), one.lists, one.key, UNGROUPED, ()
        )
        for one in parents
    ]


async def load_groups(
    context: Context, parents: Sequence[ListHandle], by: Sequence[Any], first: int
) -> list[list[Any]]:
    """The largest groups of each list, largest first."""
    viewer = context.viewer
    assert viewer is not None
    with list_arguments.query_errors_as_bad_input():
        known = await filter_contexts.load_filter_context(
            context.session,
            list(by),
            now=context.now,
            agent_id=viewer.agent_id,
            visibility=viewer.visibility,
            clock=True,
        )
        chosen = grouping.parse_grouping(by, known)
    found = {id(lists): await _totals(context, lists, chosen, first) for lists in _distinct(parents)}
    listed = [(one, _largest(found[id(one.lists)].get(one.key, {}), first)) for one in parents]
    shown = [await _shown(context, part, place, listed) for place, part in enumerate(chosen.parts)]
    return [
        [
            GroupTotals(
                [shown[place][value] for place, value in enumerate(key)],
                AggregateTotals(sums, one.lists, one.key, chosen, key),
            )
            for key, sums in of_one
        ]
        for one, of_one in listed
    ]


async def _totals(context: Context, lists: ListBatch, by: Grouping, most: int | None) -> dict[Any, Any]:
    summed = await totals.fetch_totals(context.session, [source for _, source in lists.sources], by, most)
    return _by_list(lists, summed)


def _by_list(lists: ListBatch, summed: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
    """The results of each source by list: by the source's own key, or by its parents'."""
    return {
        key if parent is None else parent: groups
        for (key, _), of_source in zip(lists.sources, summed, strict=True)
        for parent, groups in of_source.items()
    }


def _distinct(parents: Sequence[ListHandle]) -> list[ListBatch]:
    return list({id(one.lists): one.lists for one in parents}.values())


def _largest(
    groups: Mapping[tuple[Any, ...], CustomerTotals], first: int
) -> list[tuple[tuple[Any, ...], CustomerTotals]]:
    def order(one: tuple[tuple[Any, ...], CustomerTotals]) -> tuple[Any, ...]:
        key, sums = one
        return -sums.count, [(value is None, 0 if value is None else value) for value in key]

    return sorted(groups.items(), key=order)[:first]


async def _numbers(context: Context, parents: Sequence[AggregateTotals], key: str) -> list[Any]:
    viewer = context.viewer
    assert viewer is not None
    with list_arguments.query_errors_as_bad_input():
        known = await filter_contexts.load_filter_context(
            context.session,
            [{"customField": key}],
            now=context.now,
            agent_id=viewer.agent_id,
            visibility=viewer.visibility,
        )
        field = custom_fields.find_field(known, EntityType.CUSTOMER, key, ("key",))
    if field.type != CustomFieldType.NUMBER:
        raise BadUserInput(f"“{key}” is not a NUMBER field, so it has no sum.", reason="INVALID", argument=["key"])
    found: dict[Any, Any] = {}
    for one in parents:
        place = (id(one.lists), one.by)
        if place not in found:
            sources = [source for _, source in one.lists.sources]
            found[place] = _by_list(
                one.lists, await totals.fetch_number_totals(context.session, sources, one.by, field.id)
            )
    return [
        _amounts(found[(id(one.lists), one.by)].get(one.list_key, {}).get(one.key) or NumberTotals(empty=one.count))
        for one in parents
    ]


def _amounts(found: NumberTotals) -> DecimalTotals:
    average = _exact(found.sum / found.count) if found.count else None
    return DecimalTotals(_exact(found.sum), average, _exact(found.min), _exact(found.max), found.empty)


def _exact(number: float | None) -> Exact | None:
    """As people read it: a sum of binary fractions differs from the decimal sum in its last digits."""
    return None if number is None else Exact(f"{round(number, 4):.4f}").normalize() + 0


# ── keys for people ───────────────────────────────────────────────────────────────────────────────────────────────────

_ENUMS: Mapping[str, type[Enum]] = {
    "relationship_status": RelationshipStatus,
    "subscription_status": SubscriptionStatus,
    "stage": CustomerStage,
    "gender": Gender,
}
_RECORDS: Mapping[str, tuple[Any, str]] = {
    "company_id": (companies.by_ids, "Company"),
    "owner_id": (agents.by_ids, "Agent"),
    "department_id": (departments.by_ids, "Department"),
    "tag_id": (tags.by_ids, "Tag"),
}


async def _shown(
    context: Context, part: GroupKeyPart, place: int, listed: Sequence[Any]
) -> Mapping[Any, GroupKeyValue]:
    """Each value of the key at that index, as clients see it."""
    values = list(dict.fromkeys(key[place] for _, groups in listed for key, _ in groups))
    if part.name in _RECORDS:
        load, kind = _RECORDS[part.name]
        rows = await context.load(load, values)
        return {value: _record(ids.id_encoder(kind), value, rows.get(value)) for value in values}
    return {value: GroupKeyValue(None, None) if value is None else _value(part, value) for value in values}


def _record(wired: Any, value: Any, row: Any) -> GroupKeyValue:
    return GroupKeyValue(None, None) if value is None else GroupKeyValue(wired(value), row.name if row else None, row)


def _value(part: GroupKeyPart, value: Any) -> GroupKeyValue:
    if part.kind == "day":
        return GroupKeyValue(value.isoformat(), _stretch(value, str(part.grain)))
    if part.name in _ENUMS:
        name = _ENUMS[part.name](value).name
        return GroupKeyValue(name, name.replace("_", " ").capitalize())
    if part.name == "date_time":
        return GroupKeyValue(wire_format.format_moment(value), wire_format.format_moment(value))
    if isinstance(value, bool):
        return GroupKeyValue(str(value).lower(), "Yes" if value else "No")
    if isinstance(value, float):
        text = str(int(value)) if value == int(value) else repr(value)
        return GroupKeyValue(text, text)
    return GroupKeyValue(str(value), str(value))


def _stretch(first: date, grain: str) -> str:
    if grain == "WEEK":
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    if grain == "QUARTER":
        return f"{first.year}-Q{(first.month + 2) // 3}"
    return first.isoformat()[: {"DAY": 10, "MONTH": 7, "YEAR": 4}[grain]]


GroupByArgument = Annotated[
    list[CustomerGroupBy], strawberry.argument(description=f"Grouping: 1 to {grouping.MAX_GROUP_KEYS} keys.")
]
LargestFirstArgument = Annotated[int, strawberry.argument(description="Number of groups, largest first; at most 250.")]
