"""Filters of records. All fields of an object must match. At most 8 levels of filters and 100 predicates."""

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

_AND = "All conditions must match. An empty list matches everything."
_OR = "At least one condition must match. An empty list matches nothing."
_NOT = "The condition must not match."
_NONE_THERE = "True: the related record is absent. False: it is present."
_ANY = "At least one related record matches."
_ALL = "Every related record matches. True without related records."
_NO = "No related record matches."
_HOW_MANY = "Number of related records."


@filter_input("Filter of customers. All fields must match.")
class CustomerFilter:
    and_: list["CustomerFilter"] | None = filter_field(_AND, "and")
    or_: list["CustomerFilter"] | None = filter_field(_OR, "or")
    not_: "CustomerFilter | None" = filter_field(_NOT, "not")
    id: IDFilter | None = filter_field("The id.")
    external_id: ExternalIdFilter | None = filter_field("Id in another system.")
    name: StringFilter | None = filter_field("The name.")
    nickname: StringFilter | None = filter_field("The nickname.")
    real_name: StringFilter | None = filter_field("Name in official documents.")
    email: StringFilter | None = filter_field("Primary e-mail address, case-insensitive.")
    phone: StringFilter | None = filter_field("Primary phone number in E.164 format.")
    gender: GenderFilter | None = filter_field("The gender.")
    birth_date: DateFilter | None = filter_field("Birth date.")
    age: IntFilter | None = filter_field("Age in full years, by today's date in the workspace's time zone.")
    value: DecimalFilter | None = filter_field("Value of the customer for the business.")
    city: StringFilter | None = filter_field("City of the address.")
    region: StringFilter | None = filter_field("Region of the address.")
    country: StringFilter | None = filter_field("Country of the address.")
    source: StringFilter | None = filter_field("Origin of the customer, such as a campaign or fair.")
    channel: StringFilter | None = filter_field("Preferred communication channel.")
    relationship_status: RelationshipStatusFilter | None = filter_field("Relationship status.")
    subscription_status: SubscriptionStatusFilter | None = filter_field("Subscription status of the mailing list.")
    stage: CustomerStageFilter | None = filter_field("Stage in the assignment workflow.")
    verification: VerificationFilter | None = filter_field("Verification of the customer's details.")
    follow_up_stage: StringFilter | None = filter_field("Follow-up stage.")
    owner: "AgentFilter | None" = filter_field("Owner of the customer.")
    department: "DepartmentFilter | None" = filter_field("Department that the customer belongs to or waits in.")
    company: "CompanyFilter | None" = filter_field("Company of the customer.")
    wechat_friend_of: "AgentFilter | None" = filter_field("An agent who is a WeChat friend of the customer.")
    tags: "TagListFilter | None" = filter_field("Tags of the customer.")
    segments: "SegmentListFilter | None" = filter_field("Segments that contain the customer.")
    notes: "NoteListFilter | None" = filter_field("Notes about the customer.")
    interactions: "InteractionListFilter | None" = filter_field("Interactions with the customer.")
    orders: "OrderListFilter | None" = filter_field("Orders of the customer.")
    custom_fields: list["CustomFieldFilter"] | None = filter_field(
        "Values of custom fields. All conditions must match."
    )
    blocked: bool | None = filter_field("Whether the customer is blocked now.")
    reseller_relationship: bool | None = filter_field("Whether the business may manage the customer.")
    archived_at: DateTimeFilter | None = filter_field("Time of archiving; see the argument `archived` as well.")
    created_at: DateTimeFilter | None = filter_field("Time of creation.")
    updated_at: DateTimeFilter | None = filter_field("Time of the last change.")
    last_interaction_at: DateTimeFilter | None = filter_field("Time of the last interaction; null if there is none.")


@filter_input("Filter of companies. All fields must match. For a record without a company every field counts as empty.")
class CompanyFilter:
    and_: list["CompanyFilter"] | None = filter_field(_AND, "and")
    or_: list["CompanyFilter"] | None = filter_field(_OR, "or")
    not_: "CompanyFilter | None" = filter_field(_NOT, "not")
    is_null: bool | None = filter_field(_NONE_THERE)
    id: IDFilter | None = filter_field("The id.")
    external_id: ExternalIdFilter | None = filter_field("Id in another system.")
    name: StringFilter | None = filter_field("The name.")
    domain: StringFilter | None = filter_field("Internet domain, case-insensitive.")
    customers: "CustomerListFilter | None" = filter_field(
        "Customers of the company that the viewer can see, without archived customers."
    )
    custom_fields: list["CustomFieldFilter"] | None = filter_field(
        "Values of custom fields. All conditions must match."
    )
    created_at: DateTimeFilter | None = filter_field("Time of creation.")


@filter_input("Filter of agents. All fields must match. For a record without an agent every field counts as empty.")
class AgentFilter:
    and_: list["AgentFilter"] | None = filter_field(_AND, "and")
    or_: list["AgentFilter"] | None = filter_field(_OR, "or")
    not_: "AgentFilter | None" = filter_field(_NOT, "not")
    is_null: bool | None = filter_field(_NONE_THERE)
    is_viewer: bool | None = filter_field("Whether the agent is the viewer.")
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    email: StringFilter | None = filter_field("E-mail address, case-insensitive.")
    department: "DepartmentFilter | None" = filter_field("A department that the agent works in.")
    active: bool | None = filter_field("Whether the agent is active.")


@filter_input(
    "Filter of departments. All fields must match. For a record without a department every field counts as empty."
)
class DepartmentFilter:
    is_null: bool | None = filter_field(_NONE_THERE)
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    within: strawberry.ID | None = filter_field("The department itself or one of its descendants.")


@filter_input("Filter of tags. All fields must match.")
class TagFilter:
    and_: list["TagFilter"] | None = filter_field(_AND, "and")
    or_: list["TagFilter"] | None = filter_field(_OR, "or")
    not_: "TagFilter | None" = filter_field(_NOT, "not")
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    kind: TagKindFilter | None = filter_field("Origin of the tag.")
    customers: "CustomerListFilter | None" = filter_field(
        "Customers with the tag that the viewer can see, without archived customers."
    )


@filter_input("Filter of segments. All fields must match.")
class SegmentFilter:
    id: IDFilter | None = filter_field("The id.")
    name: StringFilter | None = filter_field("The name.")
    kind: SegmentKindFilter | None = filter_field("How the members are determined.")


@filter_input("Filter of notes. All fields must match.")
class NoteFilter:
    body: StringFilter | None = filter_field("The text.")
    author: AgentFilter | None = filter_field("Agent who wrote the note. A note of an API key or the system has none.")
    created_at: DateTimeFilter | None = filter_field("Time of the note.")


@filter_input("Filter of interactions. All fields must match.")
class InteractionFilter:
    kind: InteractionKindFilter | None = filter_field("Kind of interaction.")
    channel: StringFilter | None = filter_field("Channel of the interaction.")
    outcome: InteractionOutcomeFilter | None = filter_field("Outcome; null if it has none.")
    campaign: StringFilter | None = filter_field("Campaign that the interaction belongs to.")
    agent: AgentFilter | None = filter_field("Agent who took part.")
    occurred_at: DateTimeFilter | None = filter_field("Time of the interaction.")


@filter_input("Filter of orders. All fields must match.")
class OrderFilter:
    source: StringFilter | None = filter_field("System that the order comes from.")
    number: StringFilter | None = filter_field("Number of the order.")
    status: StringFilter | None = filter_field("Status of the order in that system.")
    total: DecimalFilter | None = filter_field("The sum.")
    placed_at: DateTimeFilter | None = filter_field("Time of the order.")


@filter_input("Filter of the value of one custom field.")
class CustomFieldFilter:
    key: str = strawberry.field(
        description="Key of the custom field. An unknown or disabled field is an error (FIELD_UNKNOWN)."
    )
    is_: "CustomFieldPredicate" = strawberry.field(description="Condition on the value.", name="is")


@filter_input("Condition on a custom field's value: exactly the field that fits its type.", one_of=True)
class CustomFieldPredicate:
    text: StringFilter | None = filter_field("For fields of type TEXT, LONG_TEXT, EMAIL, PHONE and URL.")
    number: DecimalFilter | None = filter_field("For NUMBER.")
    boolean: BooleanFilter | None = filter_field("For BOOLEAN.")
    date: DateFilter | None = filter_field("For DATE.")
    date_time: DateTimeFilter | None = filter_field("For DATE_TIME.")
    options: OptionListFilter | None = filter_field("For fields of type SELECT and MULTI_SELECT.")


@filter_input("Filter of a customer's tags. All fields must match.")
class TagListFilter:
    any: TagFilter | None = filter_field(_ANY)
    all: TagFilter | None = filter_field(_ALL)
    none: TagFilter | None = filter_field(_NO)
    includes_all: list[strawberry.ID] | None = filter_field("The customer has each of these tags; at most 1 000.")
    only: list[strawberry.ID] | None = filter_field("The customer has no tags other than these; at most 1 000.")
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Filter of the segments that contain a customer. All fields must match.")
class SegmentListFilter:
    any: SegmentFilter | None = filter_field(_ANY)
    none: SegmentFilter | None = filter_field(_NO)
    includes_all: list[strawberry.ID] | None = filter_field("The customer is in each of these segments; at most 1 000.")


@filter_input("Filter of a customer's notes. All fields must match.")
class NoteListFilter:
    any: NoteFilter | None = filter_field(_ANY)
    all: NoteFilter | None = filter_field(_ALL)
    none: NoteFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Filter of a customer's interactions. All fields must match.")
class InteractionListFilter:
    any: InteractionFilter | None = filter_field(_ANY)
    all: InteractionFilter | None = filter_field(_ALL)
    none: InteractionFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input("Filter of a customer's orders. All fields must match.")
class OrderListFilter:
    any: OrderFilter | None = filter_field(_ANY)
    all: OrderFilter | None = filter_field(_ALL)
    none: OrderFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)


@filter_input(
    "Filter of the customers of a company or tag that the viewer can see, without archived customers. "
    "All fields must match."
)
class CustomerListFilter:
    any: CustomerFilter | None = filter_field(_ANY)
    all: CustomerFilter | None = filter_field(_ALL)
    none: CustomerFilter | None = filter_field(_NO)
    count: IntFilter | None = filter_field(_HOW_MANY)
