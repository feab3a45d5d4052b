"""Filters of single values. All operators of one filter hold together; null is refused everywhere."""

import strawberry

from graph.filtering.filter_inputs import asked, filter_input
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
    eq: str | None = asked("Is exactly this.")
    ne: str | None = asked("Is not exactly this, or has no value.")
    in_: list[str] | None = asked(f"Is exactly one of these, {_LISTED}.", "in")
    not_in: list[str] | None = asked(f"Is none of these, or has no value; {_LISTED}.")
    contains: str | None = asked("Contains this, whatever the case and accents.")
    not_contains: str | None = asked("Does not contain this, or has no value.")
    starts_with: str | None = asked("Begins with this, whatever the case and accents.")
    ends_with: str | None = asked("Ends with this, whatever the case and accents.")
    is_null: bool | None = asked("True: has no value. False: has one.")


@filter_input("Asks of an id.")
class IDFilter:
    eq: strawberry.ID | None = asked("Is this one.")
    ne: strawberry.ID | None = asked("Is not this one.")
    in_: list[strawberry.ID] | None = asked(f"Is one of these, {_LISTED}.", "in")
    not_in: list[strawberry.ID] | None = asked(f"Is none of these, {_LISTED}.")


@filter_input("Asks of a whole number.")
class IntFilter:
    eq: int | None = asked("Is this.")
    ne: int | None = asked("Is not this, or has no value.")
    in_: list[int] | None = asked(f"Is one of these, {_LISTED}.", "in")
    gt: int | None = asked("Is greater.")
    gte: int | None = asked("Is greater or equal.")
    lt: int | None = asked("Is less.")
    lte: int | None = asked("Is less or equal.")
    is_null: bool | None = asked("True: has no value. False: has one.")


@filter_input("Asks of a decimal number.")
class DecimalFilter:
    eq: Decimal | None = asked("Is this.")
    ne: Decimal | None = asked("Is not this, or has no value.")
    in_: list[Decimal] | None = asked(f"Is one of these, {_LISTED}.", "in")
    gt: Decimal | None = asked("Is greater.")
    gte: Decimal | None = asked("Is greater or equal.")
    lt: Decimal | None = asked("Is less.")
    lte: Decimal | None = asked("Is less or equal.")
    is_null: bool | None = asked("True: has no value. False: has one.")


@filter_input("Asks of a yes or no.")
class BooleanFilter:
    eq: bool | None = asked("Is this.")
    is_null: bool | None = asked("True: has no value. False: has one.")


@filter_input("Asks of a calendar date. `last`, `next` and `anniversaryWithin` reckon from today in the workspace.")
class DateFilter:
    eq: Date | None = asked("Is this day.")
    gt: Date | None = asked("Is later.")
    gte: Date | None = asked("Is this day or later.")
    lt: Date | None = asked("Is earlier.")
    lte: Date | None = asked("Is this day or earlier.")
    last: Duration | None = asked("Lies within so long before today, today included.")
    next: Duration | None = asked("Lies within so long after today, today included.")
    anniversary_within: Duration | None = asked("Its day of the year comes within so long from today, today included.")
    is_null: bool | None = asked("True: has no value. False: has one.")


@filter_input("Asks of a moment. `last` and `next` reckon from now, in days of the workspace's time zone.")
class DateTimeFilter:
    gt: DateTime | None = asked("Is later.")
    gte: DateTime | None = asked("Is this moment or later.")
    lt: DateTime | None = asked("Is earlier.")
    lte: DateTime | None = asked("Is this moment or earlier.")
    last: Duration | None = asked("Lies within so long before now.")
    next: Duration | None = asked("Lies within so long after now.")
    is_null: bool | None = asked("True: has no value. False: has one.")


@filter_input("Asks of the chosen options.")
class OptionListFilter:
    any: list[str] | None = asked(f"At least one of these is chosen; {_LISTED}.")
    all: list[str] | None = asked(f"Each of these is chosen; {_LISTED}.")
    none: list[str] | None = asked(f"None of these is chosen; {_LISTED}.")
    is_null: bool | None = asked("True: nothing is chosen. False: something is.")


@filter_input("Asks of an id in another system.")
class ExternalIdFilter:
    system: str = strawberry.field(description="The system.")
    value: StringFilter | None = asked("What the id there is; left out, that there is one.")


@filter_input("Asks of a gender.")
class GenderFilter:
    eq: Gender | None = asked("Is this one.")
    ne: Gender | None = asked("Is not this one, or is unknown.")
    in_: list[Gender] | None = asked("Is one of these.", "in")
    not_in: list[Gender] | None = asked("Is none of these, or is unknown.")
    is_null: bool | None = asked("True: is unknown. False: is known.")


@filter_input("Asks of a relationship status.")
class RelationshipStatusFilter:
    eq: RelationshipStatus | None = asked("Is this one.")
    ne: RelationshipStatus | None = asked("Is not this one.")
    in_: list[RelationshipStatus] | None = asked("Is one of these.", "in")
    not_in: list[RelationshipStatus] | None = asked("Is none of these.")


@filter_input("Asks of a subscription status.")
class SubscriptionStatusFilter:
    eq: SubscriptionStatus | None = asked("Is this one.")
    ne: SubscriptionStatus | None = asked("Is not this one.")
    in_: list[SubscriptionStatus] | None = asked("Is one of these.", "in")
    not_in: list[SubscriptionStatus] | None = asked("Is none of these.")


@filter_input("Asks of a customer's stage.")
class CustomerStageFilter:
    eq: CustomerStage | None = asked("Is this one.")
    ne: CustomerStage | None = asked("Is not this one.")
    in_: list[CustomerStage] | None = asked("Is one of these.", "in")
    not_in: list[CustomerStage] | None = asked("Is none of these.")


@filter_input("Asks of a verification.")
class VerificationFilter:
    eq: Verification | None = asked("Is this one.")
    ne: Verification | None = asked("Is not this one.")
    in_: list[Verification] | None = asked("Is one of these.", "in")
    not_in: list[Verification] | None = asked("Is none of these.")


@filter_input("Asks of a tag's kind.")
class TagKindFilter:
    eq: TagKind | None = asked("Is this one.")
    ne: TagKind | None = asked("Is not this one.")
    in_: list[TagKind] | None = asked("Is one of these.", "in")
    not_in: list[TagKind] | None = asked("Is none of these.")


@filter_input("Asks of a segment's kind.")
class SegmentKindFilter:
    eq: SegmentKind | None = asked("Is this one.")
    ne: SegmentKind | None = asked("Is not this one.")
    in_: list[SegmentKind] | None = asked("Is one of these.", "in")
    not_in: list[SegmentKind] | None = asked("Is none of these.")


@filter_input("Asks of an interaction's kind.")
class InteractionKindFilter:
    eq: InteractionKind | None = asked("Is this one.")
    ne: InteractionKind | None = asked("Is not this one.")
    in_: list[InteractionKind] | None = asked("Is one of these.", "in")
    not_in: list[InteractionKind] | None = asked("Is none of these.")


@filter_input("Asks of how an interaction ended.")
class InteractionOutcomeFilter:
    eq: InteractionOutcome | None = asked("Is this one.")
    ne: InteractionOutcome | None = asked("Is not this one, or nobody said.")
    in_: list[InteractionOutcome] | None = asked("Is one of these.", "in")
    not_in: list[InteractionOutcome] | None = asked("Is none of these, or nobody said.")
    is_null: bool | None = asked("True: nobody said. False: somebody did.")
