"""What is given to make or change a customer."""

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


@strawberry.input(description="Which tags to put on a customer and take off. A customer wears 150 at most.")
class TagsChange:
    add: Maybe[list[TagRef] | None] = strawberry.field(description="Put these on; those worn already stay.")
    remove: Maybe[list[TagRef] | None] = strawberry.field(description="Take these off; those not worn do no harm.")
    set: Maybe[list[TagRef] | None] = strawberry.field(description="Wear exactly these of the kind.")
    kind: Maybe[TagKind | None] = strawberry.field(
        description="The kind that `set` replaces and that names are looked up in: BUSINESS unless given."
    )


@strawberry.input(description="Which agents to add to a list and take from it.")
class AgentsChange:
    add: Maybe[list[AgentRef] | None] = strawberry.field(description="Add these.")
    remove: Maybe[list[AgentRef] | None] = strawberry.field(description="Take these away.")
    set: Maybe[list[AgentRef] | None] = strawberry.field(description="Exactly these.")


@strawberry.input(description="What a customer is to be. What is left out stays as it is; null clears it.")
class CustomerInput:
    external_ids: Maybe[list[ExternalIdInput] | None] = strawberry.field(
        description=f"All ids in other systems; they replace the present ones. {MAX_CONTACTS_PER_CUSTOMER} at most."
    )
    name: Maybe[str | None] = strawberry.field(description="The name shown in lists; needed on create.")
    nickname: Maybe[str | None] = strawberry.field(description="What the customer likes to be called.")
    real_name: Maybe[str | None] = strawberry.field(description="The name in official papers.")
    avatar_url: Maybe[str | None] = strawberry.field(description="Where a picture is: an http or https address.")
    phones: Maybe[list[str] | None] = strawberry.field(
        description=f"All numbers, the primary one first; they replace the present ones. {MAX_CONTACTS_PER_CUSTOMER} at most."
    )
    emails: Maybe[list[str] | None] = strawberry.field(
        description=f"All addresses, the primary one first; they replace the present ones. {MAX_CONTACTS_PER_CUSTOMER} at most."
    )
    phone: Maybe[str | None] = strawberry.field(description="The primary number; the present one comes second.")
    email: Maybe[str | None] = strawberry.field(description="The primary address; the present one comes second.")
    gender: Maybe[Gender | None] = strawberry.field(description="The gender.")
    birth_date: Maybe[Date | None] = strawberry.field(description="The birth date, not in the future.")
    value: Maybe[Decimal | None] = strawberry.field(description="What the customer is worth; null is 0.")
    address: Maybe[AddressInput | None] = strawberry.field(description="Where the customer lives.")
    source: Maybe[str | None] = strawberry.field(description="Where the customer came from.")
    channel: Maybe[str | None] = strawberry.field(description="How the customer is reached best.")
    relationship_status: Maybe[RelationshipStatus | None] = strawberry.field(
        description="How close the customer is; by hand it goes anywhere."
    )
    subscription_status: Maybe[SubscriptionStatus | None] = strawberry.field(
        description="On create any; afterwards only between SUBSCRIBED and UNSUBSCRIBED."
    )
    stage: Maybe[CustomerStage | None] = strawberry.field(
        description="On create only: NEW or TO_BE_ASSIGNED. An owner makes it FOLLOW_UP."
    )
    follow_up_stage: Maybe[str | None] = strawberry.field(
        description="One of the workspace's follow-up stages; in FOLLOW_UP only."
    )
    company: Maybe[CompanyRef | None] = strawberry.field(description="The company that the customer belongs to.")
    owner: Maybe[AgentRef | None] = strawberry.field(description="The agent to assign the customer to.")
    reseller_relationship: Maybe[bool | None] = strawberry.field(
        description="Whether the business may manage the customer; tags need it."
    )
    tags: Maybe[TagsChange | None] = strawberry.field(description="Tags to put on and take off.")
    wechat_friends: Maybe[AgentsChange | None] = strawberry.field(description="Agents who are WeChat friends.")
    custom_fields: Maybe[list[CustomFieldValueInput] | None] = strawberry.field(
        description="Values of custom fields; those not named stay. null clears all of them."
    )
