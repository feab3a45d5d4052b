"""Inputs of customers."""

import strawberry
from strawberry import Maybe

from crm.customers.inputs import MAX_CONTACTS_PER_CUSTOMER
from graph.catalogue.agents import AgentRef
from graph.catalogue.companies import CompanyRef
from graph.catalogue.custom_fields import CustomFieldValueInput
from graph.catalogue.tags import TagRef
from graph.types.addresses import AddressInput
from graph.types.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, TagKind
from graph.types.external_ids import ExternalIdInput
from graph.types.scalars import Date, Decimal


@strawberry.input(description="Changes of a customer's tags. A customer has at most 150 tags (else LIMIT_EXCEEDED).")
class TagsChange:
    add: Maybe[list[TagRef] | None] = strawberry.field(
        description="Tags to add. Adding an existing tag changes nothing."
    )
    remove: Maybe[list[TagRef] | None] = strawberry.field(
        description="Tags to remove. Removing an absent tag changes nothing."
    )
    set: Maybe[list[TagRef] | None] = strawberry.field(description="The complete new list of tags of the kind.")
    kind: Maybe[TagKind | None] = strawberry.field(
        description="Kind that `set` replaces and that names are looked up in. Default: BUSINESS."
    )


@strawberry.input(description="Changes of a list of agents.")
class AgentsChange:
    add: Maybe[list[AgentRef] | None] = strawberry.field(description="Add these.")
    remove: Maybe[list[AgentRef] | None] = strawberry.field(description="Agents to remove.")
    set: Maybe[list[AgentRef] | None] = strawberry.field(description="Exactly these.")


@strawberry.input(description="Values of a customer. Absent fields keep their value; null clears a value.")
class CustomerInput:
    external_ids: Maybe[list[ExternalIdInput] | None] = strawberry.field(
        description=f"All ids in other systems; they replace the current list. At most {MAX_CONTACTS_PER_CUSTOMER}."
    )
    name: Maybe[str | None] = strawberry.field(description="Name shown in lists; required on create.")
    nickname: Maybe[str | None] = strawberry.field(description="Name that the customer prefers.")
    real_name: Maybe[str | None] = strawberry.field(description="Name in official documents.")
    avatar_url: Maybe[str | None] = strawberry.field(description="URL of a picture, with http or https.")
    phones: Maybe[list[str] | None] = strawberry.field(
        description=(
            "All phone numbers, the primary number first; they replace the current list. At most "
            f"{MAX_CONTACTS_PER_CUSTOMER}."
        )
    )
    emails: Maybe[list[str] | None] = strawberry.field(
        description=(
            "All e-mail addresses, the primary address first; they replace the current list. At most "
            f"{MAX_CONTACTS_PER_CUSTOMER}."
        )
    )
    phone: Maybe[str | None] = strawberry.field(
        description="New primary phone number; the current one becomes the second."
    )
    email: Maybe[str | None] = strawberry.field(
        description="New primary e-mail address; the current one becomes the second."
    )
    gender: Maybe[Gender | None] = strawberry.field(description="The gender.")
    birth_date: Maybe[Date | None] = strawberry.field(description="Birth date; not in the future.")
    value: Maybe[Decimal | None] = strawberry.field(description="Value of the customer for the business; null sets 0.")
    address: Maybe[AddressInput | None] = strawberry.field(description="Postal address.")
    source: Maybe[str | None] = strawberry.field(description="Origin of the customer, such as a campaign or fair.")
    channel: Maybe[str | None] = strawberry.field(description="Preferred communication channel.")
    relationship_status: Maybe[RelationshipStatus | None] = strawberry.field(
        description="Relationship status; any value may be set. Requires STATUS_CHANGE."
    )
    subscription_status: Maybe[SubscriptionStatus | None] = strawberry.field(
        description=(
            "Subscription status: any value on create, afterwards only SUBSCRIBED ↔ UNSUBSCRIBED (else "
            "INVALID_TRANSITION). Requires STATUS_CHANGE."
        )
    )
    stage: Maybe[CustomerStage | None] = strawberry.field(
        description="Stage, on create only: NEW or TO_BE_ASSIGNED. With an owner it becomes FOLLOW_UP."
    )
    follow_up_stage: Maybe[str | None] = strawberry.field(
        description="One of the workspace's follow-up stages; in the stage FOLLOW_UP only."
    )
    company: Maybe[CompanyRef | None] = strawberry.field(description="Company of the customer.")
    owner: Maybe[AgentRef | None] = strawberry.field(
        description="Agent to assign the customer to. Requires CUSTOMER_ASSIGN."
    )
    reseller_relationship: Maybe[bool | None] = strawberry.field(
        description="Whether the business may manage the customer; tag changes require it."
    )
    tags: Maybe[TagsChange | None] = strawberry.field(description="Changes of the tags. Requires TAG_ASSIGN.")
    wechat_friends: Maybe[AgentsChange | None] = strawberry.field(description="WeChat friends among the agents.")
    custom_fields: Maybe[list[CustomFieldValueInput] | None] = strawberry.field(
        description="Values of custom fields. Fields that are not listed keep their value; null clears all fields."
    )
