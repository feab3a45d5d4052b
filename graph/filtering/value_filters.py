"""Filters of single values. All operators of a filter must match; null is an error everywhere."""

import strawberry

from graph.filtering.filter_inputs import filter_field, filter_input
from graph.types.enums import (
    CustomerStage,
    Gender,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    SegmentKind,
    SubscriptionStatus,
    TagKind,
    Verification,
)
from graph.types.scalars import Date, DateTime, Decimal, Duration

_LISTED = "at most 1 000"


@filter_input(
    "Condition on a text. All operators must match. `eq`, `ne`, `in` and `notIn` are exact; the others "
    "ignore case and accents."
)
class StringFilter:
    eq: str | None = filter_field("Equal to this text.")
    ne: str | None = filter_field("Not equal to this text, or without a value.")
    in_: list[str] | None = filter_field(f"Equal to one of these texts; {_LISTED}.", "in")
    not_in: list[str] | None = filter_field(f"Equal to none of these, or without a value; {_LISTED}.")
    contains: str | None = filter_field("Contains this text, ignoring case and accents.")
    not_contains: str | None = filter_field("Does not contain this text, or has no value.")
    starts_with: str | None = filter_field("Starts with this text, ignoring case and accents.")
    ends_with: str | None = filter_field("Ends with this text, ignoring case and accents.")
    is_null: bool | None = filter_field("True: has no value. False: has a value.")


@filter_input("Condition on an id. All operators must match.")
class IDFilter:
    eq: strawberry.ID | None = filter_field("Equal to this value.")
    ne: strawberry.ID | None = filter_field("Not equal to this value.")
    in_: list[strawberry.ID] | None = filter_field(f"Equal to one of these values; {_LISTED}.", "in")
    not_in: list[strawberry.ID] | None = filter_field(f"Equal to none of these values; {_LISTED}.")


@filter_input("Condition on a whole number. All operators must match.")
class IntFilter:
    eq: int | None = filter_field("Is this.")
    ne: int | None = filter_field("Not equal to this value, or without a value.")
    in_: list[int] | None = filter_field(f"Equal to one of these values; {_LISTED}.", "in")
    gt: int | None = filter_field("Is greater.")
    gte: int | None = filter_field("Greater than or equal to this value.")
    lt: int | None = filter_field("Is less.")
    lte: int | None = filter_field("Less than or equal to this value.")
    is_null: bool | None = filter_field("True: has no value. False: has a value.")


@filter_input("Condition on a decimal number. All operators must match.")
class DecimalFilter:
    eq: Decimal | None = filter_field("Is this.")
    ne: Decimal | None = filter_field("Not equal to this value, or without a value.")
    in_: list[Decimal] | None = filter_field(f"Equal to one of these values; {_LISTED}.", "in")
    gt: Decimal | None = filter_field("Is greater.")
    gte: Decimal | None = filter_field("Greater than or equal to this value.")
    lt: Decimal | None = filter_field("Is less.")
    lte: Decimal | None = filter_field("Less than or equal to this value.")
    is_null: bool | None = filter_field("True: has no value. False: has a value.")


@filter_input("Condition on a boolean. All operators must match.")
class BooleanFilter:
    eq: bool | None = filter_field("Is this.")
    is_null: bool | None = filter_field("True: has no value. False: has a value.")


@filter_input(
    "Condition on a calendar date. All operators must match. `last`, `next` and `anniversaryWithin` are "
    "relative to today in the workspace's time zone."
)
class DateFilter:
    eq: Date | None = filter_field("On this day.")
    gt: Date | None = filter_field("Is later.")
    gte: Date | None = filter_field("On this day or later.")
    lt: Date | None = filter_field("Is earlier.")
    lte: Date | None = filter_field("On this day or earlier.")
    last: Duration | None = filter_field("Within this duration before today, including today.")
    next: Duration | None = filter_field("Within this duration after today, including today.")
    anniversary_within: Duration | None = filter_field(
        "The anniversary falls within this duration from today, including today."
    )
    is_null: bool | None = filter_field("True: has no value. False: has a value.")


@filter_input(
    "Condition on a time. All operators must match. `last` and `next` are relative to now, with days of "
    "the workspace's time zone."
)
class DateTimeFilter:
    gt: DateTime | None = filter_field("Is later.")
    gte: DateTime | None = filter_field("At this time or later.")
    lt: DateTime | None = filter_field("Is earlier.")
    lte: DateTime | None = filter_field("At this time or earlier.")
    last: Duration | None = filter_field("Within this duration before now.")
    next: Duration | None = filter_field("Within this duration after now.")
    is_null: bool | None = filter_field("True: has no value. False: has a value.")


@filter_input("Condition on the selected options. All operators must match.")
class OptionListFilter:
    any: list[str] | None = filter_field(f"At least one of these options is selected; {_LISTED}.")
    all: list[str] | None = filter_field(f"Each of these options is selected; {_LISTED}.")
    none: list[str] | None = filter_field(f"None of these options is selected; {_LISTED}.")
    is_null: bool | None = filter_field("True: no option is selected. False: at least one option is selected.")


@filter_input("Condition on an id in another system.")
class ExternalIdFilter:
    system: str = strawberry.field(description="The system.")
    value: StringFilter | None = filter_field("Condition on the id. If absent, any id in the system matches.")


@filter_input("Condition on a gender. All operators must match.")
class GenderFilter:
    eq: Gender | None = filter_field("Equal to this value.")
    ne: Gender | None = filter_field("Not equal to this value, or unknown.")
    in_: list[Gender] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[Gender] | None = filter_field("Equal to none of these values, or unknown.")
    is_null: bool | None = filter_field("True: unknown. False: known.")


@filter_input("Condition on a relationship status. All operators must match.")
class RelationshipStatusFilter:
    eq: RelationshipStatus | None = filter_field("Equal to this value.")
    ne: RelationshipStatus | None = filter_field("Not equal to this value.")
    in_: list[RelationshipStatus] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[RelationshipStatus] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on a subscription status. All operators must match.")
class SubscriptionStatusFilter:
    eq: SubscriptionStatus | None = filter_field("Equal to this value.")
    ne: SubscriptionStatus | None = filter_field("Not equal to this value.")
    in_: list[SubscriptionStatus] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[SubscriptionStatus] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on a stage. All operators must match.")
class CustomerStageFilter:
    eq: CustomerStage | None = filter_field("Equal to this value.")
    ne: CustomerStage | None = filter_field("Not equal to this value.")
    in_: list[CustomerStage] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[CustomerStage] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on a verification. All operators must match.")
class VerificationFilter:
    eq: Verification | None = filter_field("Equal to this value.")
    ne: Verification | None = filter_field("Not equal to this value.")
    in_: list[Verification] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[Verification] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on a tag's kind. All operators must match.")
class TagKindFilter:
    eq: TagKind | None = filter_field("Equal to this value.")
    ne: TagKind | None = filter_field("Not equal to this value.")
    in_: list[TagKind] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[TagKind] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on a segment's kind. All operators must match.")
class SegmentKindFilter:
    eq: SegmentKind | None = filter_field("Equal to this value.")
    ne: SegmentKind | None = filter_field("Not equal to this value.")
    in_: list[SegmentKind] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[SegmentKind] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on an interaction's kind. All operators must match.")
class InteractionKindFilter:
    eq: InteractionKind | None = filter_field("Equal to this value.")
    ne: InteractionKind | None = filter_field("Not equal to this value.")
    in_: list[InteractionKind] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[InteractionKind] | None = filter_field("Equal to none of these values.")


@filter_input("Condition on an interaction's outcome. All operators must match.")
class InteractionOutcomeFilter:
    eq: InteractionOutcome | None = filter_field("Equal to this value.")
    ne: InteractionOutcome | None = filter_field("Not equal to this value, or without an outcome.")
    in_: list[InteractionOutcome] | None = filter_field("Equal to one of these values.", "in")
    not_in: list[InteractionOutcome] | None = filter_field("Equal to none of these values, or without an outcome.")
    is_null: bool | None = filter_field("True: without an outcome. False: with an outcome.")
