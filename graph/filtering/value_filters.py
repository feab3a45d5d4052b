"""Filters of single values. All operators of one filter hold together; null is refused everywhere."""

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


@filter_input("Asks of a text. `eq` and `in` are exact; `contains` and its like fold case and accents.")
class StringFilter:
    eq: str | None = filter_field("Is exactly this.")
    ne: str | None = filter_field("Is not exactly this, or has no value.")
    in_: list[str] | None = filter_field(f"Is exactly one of these, {_LISTED}.", "in")
    not_in: list[str] | None = filter_field(f"Is none of these, or has no value; {_LISTED}.")
    contains: str | None = filter_field("Contains this, whatever the case and accents.")
    not_contains: str | None = filter_field("Does not contain this, or has no value.")
    starts_with: str | None = filter_field("Begins with this, whatever the case and accents.")
    ends_with: str | None = filter_field("Ends with this, whatever the case and accents.")
    is_null: bool | None = filter_field("True: has no value. False: has one.")


@filter_input("Asks of an id.")
class IDFilter:
    eq: strawberry.ID | None = filter_field("Is this one.")
    ne: strawberry.ID | None = filter_field("Is not this one.")
    in_: list[strawberry.ID] | None = filter_field(f"Is one of these, {_LISTED}.", "in")
    not_in: list[strawberry.ID] | None = filter_field(f"Is none of these, {_LISTED}.")


@filter_input("Asks of a whole number.")
class IntFilter:
    eq: int | None = filter_field("Is this.")
    ne: int | None = filter_field("Is not this, or has no value.")
    in_: list[int] | None = filter_field(f"Is one of these, {_LISTED}.", "in")
    gt: int | None = filter_field("Is greater.")
    gte: int | None = filter_field("Is greater or equal.")
    lt: int | None = filter_field("Is less.")
    lte: int | None = filter_field("Is less or equal.")
    is_null: bool | None = filter_field("True: has no value. False: has one.")


@filter_input("Asks of a decimal number.")
class DecimalFilter:
    eq: Decimal | None = filter_field("Is this.")
    ne: Decimal | None = filter_field("Is not this, or has no value.")
    in_: list[Decimal] | None = filter_field(f"Is one of these, {_LISTED}.", "in")
    gt: Decimal | None = filter_field("Is greater.")
    gte: Decimal | None = filter_field("Is greater or equal.")
    lt: Decimal | None = filter_field("Is less.")
    lte: Decimal | None = filter_field("Is less or equal.")
    is_null: bool | None = filter_field("True: has no value. False: has one.")


@filter_input("Asks of a yes or no.")
class BooleanFilter:
    eq: bool | None = filter_field("Is this.")
    is_null: bool | None = filter_field("True: has no value. False: has one.")


@filter_input("Asks of a calendar date. `last`, `next` and `anniversaryWithin` reckon from today in the workspace.")
class DateFilter:
    eq: Date | None = filter_field("Is this day.")
    gt: Date | None = filter_field("Is later.")
    gte: Date | None = filter_field("Is this day or later.")
    lt: Date | None = filter_field("Is earlier.")
    lte: Date | None = filter_field("Is this day or earlier.")
    last: Duration | None = filter_field("Lies within so long before today, today included.")
    next: Duration | None = filter_field("Lies within so long after today, today included.")
    anniversary_within: Duration | None = filter_field(
        "Its day of the year comes within so long from today, today included."
    )
    is_null: bool | None = filter_field("True: has no value. False: has one.")


@filter_input("Asks of a moment. `last` and `next` reckon from now, in days of the workspace's time zone.")
class DateTimeFilter:
    gt: DateTime | None = filter_field("Is later.")
    gte: DateTime | None = filter_field("Is this moment or later.")
    lt: DateTime | None = filter_field("Is earlier.")
    lte: DateTime | None = filter_field("Is this moment or earlier.")
    last: Duration | None = filter_field("Lies within so long before now.")
    next: Duration | None = filter_field("Lies within so long after now.")
    is_null: bool | None = filter_field("True: has no value. False: has one.")


@filter_input("Asks of the chosen options.")
class OptionListFilter:
    any: list[str] | None = filter_field(f"At least one of these is chosen; {_LISTED}.")
    all: list[str] | None = filter_field(f"Each of these is chosen; {_LISTED}.")
    none: list[str] | None = filter_field(f"None of these is chosen; {_LISTED}.")
    is_null: bool | None = filter_field("True: nothing is chosen. False: something is.")


@filter_input("Asks of an id in another system.")
class ExternalIdFilter:
    system: str = strawberry.field(description="The system.")
    value: StringFilter | None = filter_field("What the id there is; left out, that there is one.")


@filter_input("Asks of a gender.")
class GenderFilter:
    eq: Gender | None = filter_field("Is this one.")
    ne: Gender | None = filter_field("Is not this one, or is unknown.")
    in_: list[Gender] | None = filter_field("Is one of these.", "in")
    not_in: list[Gender] | None = filter_field("Is none of these, or is unknown.")
    is_null: bool | None = filter_field("True: is unknown. False: is known.")


@filter_input("Asks of a relationship status.")
class RelationshipStatusFilter:
    eq: RelationshipStatus | None = filter_field("Is this one.")
    ne: RelationshipStatus | None = filter_field("Is not this one.")
    in_: list[RelationshipStatus] | None = filter_field("Is one of these.", "in")
    not_in: list[RelationshipStatus] | None = filter_field("Is none of these.")


@filter_input("Asks of a subscription status.")
class SubscriptionStatusFilter:
    eq: SubscriptionStatus | None = filter_field("Is this one.")
    ne: SubscriptionStatus | None = filter_field("Is not this one.")
    in_: list[SubscriptionStatus] | None = filter_field("Is one of these.", "in")
    not_in: list[SubscriptionStatus] | None = filter_field("Is none of these.")


@filter_input("Asks of a customer's stage.")
class CustomerStageFilter:
    eq: CustomerStage | None = filter_field("Is this one.")
    ne: CustomerStage | None = filter_field("Is not this one.")
    in_: list[CustomerStage] | None = filter_field("Is one of these.", "in")
    not_in: list[CustomerStage] | None = filter_field("Is none of these.")


@filter_input("Asks of a verification.")
class VerificationFilter:
    eq: Verification | None = filter_field("Is this one.")
    ne: Verification | None = filter_field("Is not this one.")
    in_: list[Verification] | None = filter_field("Is one of these.", "in")
    not_in: list[Verification] | None = filter_field("Is none of these.")


@filter_input("Asks of a tag's kind.")
class TagKindFilter:
    eq: TagKind | None = filter_field("Is this one.")
    ne: TagKind | None = filter_field("Is not this one.")
    in_: list[TagKind] | None = filter_field("Is one of these.", "in")
    not_in: list[TagKind] | None = filter_field("Is none of these.")


@filter_input("Asks of a segment's kind.")
class SegmentKindFilter:
    eq: SegmentKind | None = filter_field("Is this one.")
    ne: SegmentKind | None = filter_field("Is not this one.")
    in_: list[SegmentKind] | None = filter_field("Is one of these.", "in")
    not_in: list[SegmentKind] | None = filter_field("Is none of these.")


@filter_input("Asks of an interaction's kind.")
class InteractionKindFilter:
    eq: InteractionKind | None = filter_field("Is this one.")
    ne: InteractionKind | None = filter_field("Is not this one.")
    in_: list[InteractionKind] | None = filter_field("Is one of these.", "in")
    not_in: list[InteractionKind] | None = filter_field("Is none of these.")


@filter_input("Asks of how an interaction ended.")
class InteractionOutcomeFilter:
    eq: InteractionOutcome | None = filter_field("Is this one.")
    ne: InteractionOutcome | None = filter_field("Is not this one, or nobody said.")
    in_: list[InteractionOutcome] | None = filter_field("Is one of these.", "in")
    not_in: list[InteractionOutcome] | None = filter_field("Is none of these, or nobody said.")
    is_null: bool | None = filter_field("True: nobody said. False: somebody did.")
