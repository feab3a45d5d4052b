"""Filters of records. Siblings hold together; filters nest at most 8 deep, with at most 100 predicates."""

import strawberry

from graph.filtering.filter_inputs import filter_field, filter_input
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
    and_: list["CustomerFilter"] | None = filter_field(_AND, "and")
    or_: list["CustomerFilter"] | None = filter_field(_OR, "or")
    not_: "CustomerFilter | None" = filter_field(_NOT, "not")
    id: IDFilter | None = filter_field("The id.")
    external_id: ExternalIdFilter | None = filter_field("An id in another system.")
    name: StringFilter | None = filter_field("The name.")
    nickname: StringFilter | None = filter_field("The nickname.")
    real_name: StringFilter | None = filter_field("The name in official papers.")
    email: StringFilter | None = filter_field("The primary address; case never matters.")
    phone: StringFilter | None = filter_field("The primary number, in E.164.")
    gender: GenderFilter | None = filter_field("The gender.")
    birth_date: DateFilter | None = filter_field("The birth date.")
    age: IntFilter | None = filter_field("Full years since birth, today in the workspace.")
    value: DecimalFilter | None = filter_field("What the customer is worth to the business.")
    city: StringFilter | None = filter_field("The city of the address.")
    region: StringFilter | None = filter_field("The region of the address.")
    country: StringFilter | None = filter_field("The country of the address.")
    source: StringFilter | None = filter_field("Where the customer came from.")
    channel: StringFilter | None = filter_field("How the customer is reached best.")
    relationship_status: RelationshipStatusFilter | None = filter_field("How close the customer is to the business.")
    subscription_status: SubscriptionStatusFilter | None = filter_field("Whether the customer is on the mailing list.")
    stage: CustomerStageFilter | None = filter_field("Where the customer stands in the flow of work.")
    verification: VerificationFilter | None = filter_field("Whether the details were checked.")
    follow_up_stage: StringFilter | None = filter_field("How far the follow-up is.")
    owner: "AgentFilter | None" = filter_field("The agent who looks after the customer.")
    department: "DepartmentFilter | None" = filter_field("The department that the customer belongs to or waits in.")
    company: "CompanyFilter | None" = filter_field("The company that the customer belongs to.")
    wechat_friend_of: "AgentFilter | None" = filter_field("An agent who is a WeChat friend of the customer.")
    tags: "TagListFilter | None" = filter_field("The tags that the customer wears.")
    segments: "SegmentListFilter | None" = filter_field("The segments that the customer is in.")
    notes: "NoteListFilter | None" = filter_field("What was written down about the customer.")
    interactions: "InteractionListFilter | None" = filter_field("What happened with the customer.")
    orders: "OrderListFilter | None" = filter_field("What the customer bought.")
    custom_fields: list["CustomFieldFilter"] | None = filter_field("The values of custom fields; all of these hold.")
    blocked: bool | None = filter_field("Whether the customer is blocked now.")
    reseller_relationship: bool | None = filter_field("Whether the business may manage the customer.")
    archived_at: DateTimeFilter | None = filter_field(
        "When the customer was archived; see the argument `archived` too."
    )
    created_at: DateTimeFilter | None = filter_field("When the customer was created.")
    updated_at: DateTimeFilter | None = filter_field("When the customer last changed.")
    last_interaction_at: DateTimeFilter | None = filter_field("When something last happened with the customer.")


@filter_input("Asks of a company. Where it is asked of a record without one, nothing in it has a value.")
class CompanyFilter:
    and_: list["CompanyFilter"] | None = filter_field(_AND, "and")
    or_: list["CompanyFilter"] | None = filter_field(_OR, "or")
    not_: "CompanyFilter | None" = filter_field(_NOT, "not")
    is_null: bool | None = filter_field(_NONE_THERE)
    id: IDFilter | None = filter_field("The id.")
    external_id: ExternalIdFilter | None = filter_field("An id in another system.")
    name: StringFilter | None = filter_field("The name.")
    domain: StringFilter | None = filter_field("The internet domain; case never matters.")
    customers: "CustomerListFilter | None" = filter_field(
        "The customers in sight who belong to it, archived ones left out."
    )
    custom_fields: list["CustomFieldFilter"] | None = filter_field("The values of custom fields; all of these hold.")
    created_at: DateTimeFilter | None = filter_field("When it was created.")


@filter_input("Asks of an agent. Where it is asked of a record without one, nothing in it has a value.")
class AgentFilter:
    and_: list["AgentFilter"] | None = filter_field(_AND, "and")
    or_: list["AgentFilter"] | None = filter_field(_OR, "or")
    not_: "AgentFilter | None" = filter_field(_NOT, "not")
    is_null: bool | None = filter_field(_NONE_THERE)
    is_viewer: bool | None = filter_field("Whether it is the one who asks.")
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    email: StringFilter | None = filter_field("The address; case never matters.")
    department: "DepartmentFilter | None" = filter_field("A department that the agent works in.")
    active: bool | None = filter_field("Whether the agent is active.")


@filter_input("Asks of a department. Where it is asked of a record without one, nothing in it has a value.")
class DepartmentFilter:
    is_null: bool | None = filter_field(_NONE_THERE)
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    within: strawberry.ID | None = filter_field("It is this one, or any below it.")


@filter_input("Asks of a tag.")
class TagFilter:
    and_: list["TagFilter"] | None = filter_field(_AND, "and")
    or_: list["TagFilter"] | None = filter_field(_OR, "or")
    not_: "TagFilter | None" = filter_field(_NOT, "not")
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    kind: TagKindFilter | None = filter_field("Where it comes from.")
    customers: "CustomerListFilter | None" = filter_field("The customers in sight who wear it, archived ones left out.")


@filter_input("Asks of a segment.")
class SegmentFilter:
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    kind: SegmentKindFilter | None = filter_field("How its members are found.")


@filter_input("Asks of a note.")
class NoteFilter:
    body: StringFilter | None = filter_field("The text.")
    author: AgentFilter | None = filter_field("The agent who wrote it; a key or the system is none.")
    created_at: DateTimeFilter | None = filter_field("When it was written.")


@filter_input("Asks of an interaction.")
class InteractionFilter:
    kind: InteractionKindFilter | None = filter_field("What it was.")
    channel: StringFilter | None = filter_field("Where it happened.")
    outcome: InteractionOutcomeFilter | None = filter_field("How it ended.")
    campaign: StringFilter | None = filter_field("The campaign that it belongs to.")
    agent: AgentFilter | None = filter_field("The agent who took part.")
    occurred_at: DateTimeFilter | None = filter_field("When it happened.")


@filter_input("Asks of an order.")
class OrderFilter:
    source: StringFilter | None = filter_field("The system that it was made in.")
    number: StringFilter | None = filter_field("Its number there.")
    status: StringFilter | None = filter_field("Its state there.")
    total: DecimalFilter | None = filter_field("The sum.")
    placed_at: DateTimeFilter | None = filter_field("When it was placed.")


@filter_input("Asks of the value of one custom field.")
class CustomFieldFilter:
    key: str = strawberry.field(description="The field's key; unknown or switched off, it is refused.")
    is_: "CustomFieldPredicate" = strawberry.field(description="What its value is.", name="is")


@filter_input("Asks of a custom field's value, in the words of the field's type.", one_of=True)
class CustomFieldPredicate:
    text: StringFilter | None = filter_field("For TEXT, LONG_TEXT, EMAIL, PHONE and URL.")
    number: DecimalFilter | None = filter_field("For NUMBER.")
    boolean: BooleanFilter | None = filter_field("For BOOLEAN.")
    date: DateFilter | None = filter_field("For DATE.")
    date_time: DateTimeFilter | None = filter_field("For DATE_TIME.")
    options: OptionListFilter | None = filter_field("For SELECT and MULTI_SELECT.")


@filter_input("Asks of the tags that a customer wears.")
class TagListFilter:
    any: TagFilter | None = filter_field(_ANY)
    all: TagFilter | None = filter_field(_ALL)
    none: TagFilter | None = filter_field(_NO)
    includes_all: list[strawberry.ID] | None = filter_field("Each of these is worn; at most 1 000.")
    only: list[strawberry.ID] | None = filter_field("None but these is worn; at most 1 000.")
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Asks of the segments that a customer is in.")
class SegmentListFilter:
    any: SegmentFilter | None = filter_field(_ANY)
    none: SegmentFilter | None = filter_field(_NO)
    includes_all: list[strawberry.ID] | None = filter_field("The customer is in each of these; at most 1 000.")


@filter_input("Asks of a customer's notes.")
class NoteListFilter:
    any: NoteFilter | None = filter_field(_ANY)
    all: NoteFilter | None = filter_field(_ALL)
    none: NoteFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Asks of a customer's interactions.")
class InteractionListFilter:
    any: InteractionFilter | None = filter_field(_ANY)
    all: InteractionFilter | None = filter_field(_ALL)
    none: InteractionFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Asks of a customer's orders.")
class OrderListFilter:
    any: OrderFilter | None = filter_field(_ANY)
    all: OrderFilter | None = filter_field(_ALL)
    none: OrderFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Asks of the customers in sight of a company or tag, archived ones left out.")
class CustomerListFilter:
    any: CustomerFilter | None = filter_field(_ANY)
    all: CustomerFilter | None = filter_field(_ALL)
    none: CustomerFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)
