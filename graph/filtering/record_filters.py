"""Filters of records. Siblings hold together; filters nest at most 8 deep, with at most 100 predicates."""

import strawberry

from graph.filtering.filter_inputs import asked, filter_input
from graph.filtering.value_filters import (
    BooleanFilter,
    CustomerStageFilter,
    DateFilter,
    DateTimeFilter,
    DecimalFilter,
    ExternalIdFilter,
    GenderFilter,
    IDFilter,
    InteractionKindFilter,
    InteractionOutcomeFilter,
    IntFilter,
    OptionListFilter,
    RelationshipStatusFilter,
    SegmentKindFilter,
    StringFilter,
    SubscriptionStatusFilter,
    TagKindFilter,
    VerificationFilter,
)

_AND = "All of these hold; of none, that is so."
_OR = "At least one of these holds; of none, that is not so."
_NOT = "This does not hold."
_NONE_THERE = "True: there is none. False: there is one."
_ANY = "At least one is so."
_ALL = "Every one is so; of none, that is so."
_NO = "None is so."
_HOW_MANY = "How many there are."


@filter_input("Asks of a customer.")
class CustomerFilter:
    and_: list["CustomerFilter"] | None = asked(_AND, "and")
    or_: list["CustomerFilter"] | None = asked(_OR, "or")
    not_: "CustomerFilter | None" = asked(_NOT, "not")
    id: IDFilter | None = asked("The id.")
    external_id: ExternalIdFilter | None = asked("An id in another system.")
    name: StringFilter | None = asked("The name.")
    nickname: StringFilter | None = asked("The nickname.")
    real_name: StringFilter | None = asked("The name in official papers.")
    email: StringFilter | None = asked("The primary address; case never matters.")
    phone: StringFilter | None = asked("The primary number, in E.164.")
    gender: GenderFilter | None = asked("The gender.")
    birth_date: DateFilter | None = asked("The birth date.")
    age: IntFilter | None = asked("Full years since birth, today in the workspace.")
    value: DecimalFilter | None = asked("What the customer is worth to the business.")
    city: StringFilter | None = asked("The city of the address.")
    region: StringFilter | None = asked("The region of the address.")
    country: StringFilter | None = asked("The country of the address.")
    source: StringFilter | None = asked("Where the customer came from.")
    channel: StringFilter | None = asked("How the customer is reached best.")
    relationship_status: RelationshipStatusFilter | None = asked("How close the customer is to the business.")
    subscription_status: SubscriptionStatusFilter | None = asked("Whether the customer is on the mailing list.")
    stage: CustomerStageFilter | None = asked("Where the customer stands in the flow of work.")
    verification: VerificationFilter | None = asked("Whether the details were checked.")
    follow_up_stage: StringFilter | None = asked("How far the follow-up is.")
    owner: "AgentFilter | None" = asked("The agent who looks after the customer.")
    department: "DepartmentFilter | None" = asked("The department that the customer belongs to or waits in.")
    company: "CompanyFilter | None" = asked("The company that the customer belongs to.")
    wechat_friend_of: "AgentFilter | None" = asked("An agent who is a WeChat friend of the customer.")
    tags: "TagListFilter | None" = asked("The tags that the customer wears.")
    segments: "SegmentListFilter | None" = asked("The segments that the customer is in.")
    notes: "NoteListFilter | None" = asked("What was written down about the customer.")
    interactions: "InteractionListFilter | None" = asked("What happened with the customer.")
    orders: "OrderListFilter | None" = asked("What the customer bought.")
    custom_fields: list["CustomFieldFilter"] | None = asked("The values of custom fields; all of these hold.")
    blocked: bool | None = asked("Whether the customer is blocked now.")
    reseller_relationship: bool | None = asked("Whether the business may manage the customer.")
    archived_at: DateTimeFilter | None = asked("When the customer was archived; see the argument `archived` too.")
    created_at: DateTimeFilter | None = asked("When the customer was created.")
    updated_at: DateTimeFilter | None = asked("When the customer last changed.")
    last_interaction_at: DateTimeFilter | None = asked("When something last happened with the customer.")


@filter_input("Asks of a company. Where it is asked of a record without one, nothing in it has a value.")
class CompanyFilter:
    and_: list["CompanyFilter"] | None = asked(_AND, "and")
    or_: list["CompanyFilter"] | None = asked(_OR, "or")
    not_: "CompanyFilter | None" = asked(_NOT, "not")
    is_null: bool | None = asked(_NONE_THERE)
    id: IDFilter | None = asked("The id.")
    external_id: ExternalIdFilter | None = asked("An id in another system.")
    name: StringFilter | None = asked("The name.")
    domain: StringFilter | None = asked("The internet domain; case never matters.")
    customers: "CustomerListFilter | None" = asked("The customers in sight who belong to it, archived ones left out.")
    custom_fields: list["CustomFieldFilter"] | None = asked("The values of custom fields; all of these hold.")
    created_at: DateTimeFilter | None = asked("When it was created.")


@filter_input("Asks of an agent. Where it is asked of a record without one, nothing in it has a value.")
class AgentFilter:
    and_: list["AgentFilter"] | None = asked(_AND, "and")
    or_: list["AgentFilter"] | None = asked(_OR, "or")
    not_: "AgentFilter | None" = asked(_NOT, "not")
    is_null: bool | None = asked(_NONE_THERE)
    is_viewer: bool | None = asked("Whether it is the one who asks.")
    id: IDFilter | None = asked("The id.")
    name: StringFilter | None = asked("The name.")
    email: StringFilter | None = asked("The address; case never matters.")
    department: "DepartmentFilter | None" = asked("A department that the agent works in.")
    active: bool | None = asked("Whether the agent is active.")


@filter_input("Asks of a department. Where it is asked of a record without one, nothing in it has a value.")
class DepartmentFilter:
    is_null: bool | None = asked(_NONE_THERE)
    id: IDFilter | None = asked("The id.")
    name: StringFilter | None = asked("The name.")
    within: strawberry.ID | None = asked("It is this one, or any below it.")


@filter_input("Asks of a tag.")
class TagFilter:
    and_: list["TagFilter"] | None = asked(_AND, "and")
    or_: list["TagFilter"] | None = asked(_OR, "or")
    not_: "TagFilter | None" = asked(_NOT, "not")
    id: IDFilter | None = asked("The id.")
    name: StringFilter | None = asked("The name.")
    kind: TagKindFilter | None = asked("Where it comes from.")
    customers: "CustomerListFilter | None" = asked("The customers in sight who wear it, archived ones left out.")


@filter_input("Asks of a segment.")
class SegmentFilter:
    id: IDFilter | None = asked("The id.")
    name: StringFilter | None = asked("The name.")
    kind: SegmentKindFilter | None = asked("How its members are found.")


@filter_input("Asks of a note.")
class NoteFilter:
    body: StringFilter | None = asked("The text.")
    author: AgentFilter | None = asked("The agent who wrote it; a key or the system is none.")
    created_at: DateTimeFilter | None = asked("When it was written.")


@filter_input("Asks of an interaction.")
class InteractionFilter:
    kind: InteractionKindFilter | None = asked("What it was.")
    channel: StringFilter | None = asked("Where it happened.")
    outcome: InteractionOutcomeFilter | None = asked("How it ended.")
    campaign: StringFilter | None = asked("The campaign that it belongs to.")
    agent: AgentFilter | None = asked("The agent who took part.")
    occurred_at: DateTimeFilter | None = asked("When it happened.")


@filter_input("Asks of an order.")
class OrderFilter:
    source: StringFilter | None = asked("The system that it was made in.")
    number: StringFilter | None = asked("Its number there.")
    status: StringFilter | None = asked("Its state there.")
    total: DecimalFilter | None = asked("The sum.")
    placed_at: DateTimeFilter | None = asked("When it was placed.")


@filter_input("Asks of the value of one custom field.")
class CustomFieldFilter:
    key: str = strawberry.field(description="The field's key; unknown or switched off, it is refused.")
    is_: "CustomFieldPredicate" = strawberry.field(description="What its value is.", name="is")


@filter_input("Asks of a custom field's value, in the words of the field's type.", one_of=True)
class CustomFieldPredicate:
    text: StringFilter | None = asked("For TEXT, LONG_TEXT, EMAIL, PHONE and URL.")
    number: DecimalFilter | None = asked("For NUMBER.")
    boolean: BooleanFilter | None = asked("For BOOLEAN.")
    date: DateFilter | None = asked("For DATE.")
    date_time: DateTimeFilter | None = asked("For DATE_TIME.")
    options: OptionListFilter | None = asked("For SELECT and MULTI_SELECT.")


@filter_input("Asks of the tags that a customer wears.")
class TagListFilter:
    any: TagFilter | None = asked(_ANY)
    all: TagFilter | None = asked(_ALL)
    none: TagFilter | None = asked(_NO)
    includes_all: list[strawberry.ID] | None = asked("Each of these is worn; at most 1 000.")
    only: list[strawberry.ID] | None = asked("None but these is worn; at most 1 000.")
    count: IntFilter | None = asked(_HOW_MANY)


@filter_input("Asks of the segments that a customer is in.")
class SegmentListFilter:
    any: SegmentFilter | None = asked(_ANY)
    none: SegmentFilter | None = asked(_NO)
    includes_all: list[strawberry.ID] | None = asked("The customer is in each of these; at most 1 000.")


@filter_input("Asks of a customer's notes.")
class NoteListFilter:
    any: NoteFilter | None = asked(_ANY)
    all: NoteFilter | None = asked(_ALL)
    none: NoteFilter | None = asked(_NO)
    count: IntFilter | None = asked(_HOW_MANY)


@filter_input("Asks of a customer's interactions.")
class InteractionListFilter:
    any: InteractionFilter | None = asked(_ANY)
    all: InteractionFilter | None = asked(_ALL)
    none: InteractionFilter | None = asked(_NO)
    count: IntFilter | None = asked(_HOW_MANY)


@filter_input("Asks of a customer's orders.")
class OrderListFilter:
    any: OrderFilter | None = asked(_ANY)
    all: OrderFilter | None = asked(_ALL)
    none: OrderFilter | None = asked(_NO)
    count: IntFilter | None = asked(_HOW_MANY)


@filter_input("Asks of the customers in sight of a company or tag, archived ones left out.")
class CustomerListFilter:
    any: CustomerFilter | None = asked(_ANY)
    all: CustomerFilter | None = asked(_ALL)
    none: CustomerFilter | None = asked(_NO)
    count: IntFilter | None = asked(_HOW_MANY)
