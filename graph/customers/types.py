"""The customer type and its relations."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info

from crm.assignment import claims
from crm.customers import allowed_actions
from crm.customers import subscription_status as subscriptions
from crm.merging.duplicates import MAX_MATCHES
from crm.values.addresses import ADDRESS_COLUMNS
from db import tables
from db.queries import workspaces
from db.queries.catalogue import agents, companies, departments, segments, tags
from db.queries.customers import customers
from db.tables.enums import EntityType
from graph.access.actors import Actor, load_actors
from graph.activities.activity_types import Interaction, Note, Order, activity_connections
from graph.catalogue import custom_fields as fields
from graph.catalogue.agents import Agent
from graph.catalogue.companies import Company
from graph.catalogue.custom_fields import CustomFieldValue, FieldKeyArgument, FieldKeysArgument
from graph.catalogue.departments import Department
from graph.catalogue.segments import Segment
from graph.catalogue.tags import Tag
from graph.change_log import TimelineConnection, load_timelines
from graph.customers.duplicates import DuplicateMatch, duplicate_matches
from graph.engine.field_declarations import ParentRows, batched, column
from graph.filtering import list_arguments
from graph.types import addresses, ids
from graph.types.addresses import Address
from graph.types.connections import AfterArgument, Connection, FirstArgument
from graph.types.enums import (
    CustomerAction,
    CustomerStage,
    Gender,
    RelationshipStatus,
    SubscriptionStatus,
    TagKind,
    Verification,
)
from graph.types.external_ids import ExternalId
from graph.types.nodes import Node, Record, is_row_of
from graph.types.scalars import Date, DateTime, Decimal

_wire = ids.id_encoder("Customer")


@strawberry.type(description="The block of a customer.")
class Block:
    reason: str = column("Why.")
    until: DateTime | None = column("End of the block; null if it has no end.")
    at: DateTime = column("Start of the block.")

    @batched("Who blocked.", parent_columns=("actor_kind", "actor_id"))
    async def by(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "actor")


@strawberry.type(description="A person that the business knows.")
class Customer(Record, Node):
    is_type_of = is_row_of(tables.Customer)

    id: strawberry.ID = column("Id of the customer.", convert=_wire)
    name: str = column("Name shown in lists.")
    nickname: str | None = column("Name that the customer prefers.")
    real_name: str | None = column("Name in official documents.")
    avatar_url: str | None = column("URL of a picture.")
    phone: str | None = column("Primary phone number in E.164 format.")
    email: str | None = column("Primary e-mail address, as entered.")
    gender: Gender | None = column("Gender; null if unknown.")
    birth_date: Date | None = column("Birth date; null if unknown.")
    value: Decimal = column("Value of the customer for the business. Default: 0.")
    source: str | None = column("Origin of the customer, such as a campaign or fair.")
    channel: str | None = column("Preferred communication channel.")
    relationship_status: RelationshipStatus = column("Relationship status.")
    subscription_status: SubscriptionStatus = column("Subscription status of the mailing list.")
    stage: CustomerStage = column("Stage in the assignment workflow.")
    verification: Verification = column("Verification of the customer's details.")
    follow_up_stage: str | None = column(
        "Follow-up stage, one of the workspace's own; null outside the stage FOLLOW_UP."
    )
    reseller_relationship: bool = column("True if the business may manage the customer; tag changes require it.")
    archived_at: DateTime | None = column("Time of archiving; null if the customer is not archived.")
    last_interaction_at: DateTime | None = column("Time of the last interaction; null if there is none.")

    @batched("Ids in other systems.", parent_columns=("id",))
    async def external_ids(parents: ParentRows, info: Info) -> list[list[ExternalId]]:
        return await info.context.load_many(customers.external_ids, parents, "id")

    @batched("All phone numbers in E.164 format, the primary number first.", parent_columns=("id",))
    async def phones(parents: ParentRows, info: Info) -> list[list[str]]:
        return [[row.phone for row in rows] for rows in await info.context.load_many(customers.phones, parents, "id")]

    @batched("All e-mail addresses, the primary address first.", parent_columns=("id",))
    async def emails(parents: ParentRows, info: Info) -> list[list[str]]:
        return [[row.email for row in rows] for rows in await info.context.load_many(customers.emails, parents, "id")]

    @batched(
        "Age in full years, by today's date in the workspace's time zone; null without a birth date.",
        parent_columns=("birth_date",),
    )
    async def age(parents: ParentRows, info: Info) -> list[int | None]:
        today = await _today(info)
        return [
            None if row.birth_date is None else _years(date.fromisoformat(row.birth_date), today) for row in parents
        ]

    @batched("Postal address; null if no part is known.", parent_columns=ADDRESS_COLUMNS)
    async def address(parents: ParentRows, info: Info) -> list[Address | None]:
        return addresses.address_of(parents)

    @batched(
        "Subscription statuses that a person may set now; empty if archived.",
        parent_columns=("subscription_status", "archived_at"),
    )
    async def allowed_subscription_transitions(parents: ParentRows, info: Info) -> list[list[SubscriptionStatus]]:
        return [
            list(
                subscriptions.allowed_transitions(
                    SubscriptionStatus(row.subscription_status), archived=row.archived_at is not None
                )
            )
            for row in parents
        ]

    @batched(
        "Agent who is responsible for the customer; set exactly in the stage FOLLOW_UP.", parent_columns=("owner_id",)
    )
    async def owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "owner_id")

    @batched("Previous owner; null if there was none.", parent_columns=("previous_owner_id",))
    async def previous_owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "previous_owner_id")

    @batched("Department that the customer belongs to or waits in.", parent_columns=("department_id",))
    async def department(parents: ParentRows, info: Info) -> list[Department | None]:
        return await info.context.load_one(departments.by_ids, parents, "department_id")

    @batched("Company of the customer.", parent_columns=("company_id",))
    async def company(parents: ParentRows, info: Info) -> list[Company | None]:
        return await info.context.load_one(companies.by_ids, parents, "company_id")

    @batched("Agents who are WeChat friends of the customer.", parent_columns=("id",))
    async def wechat_friends(parents: ParentRows, info: Info) -> list[list[Agent]]:
        return await info.context.load_many(agents.friends_by_customer, parents, "id")

    @batched("True if the viewer is a WeChat friend of the customer.", parent_columns=("id",))
    async def is_wechat_friend(parents: ParentRows, info: Info) -> list[bool]:
        viewer = info.context.viewer.agent_id
        return [bool(found) for found in await info.context.load_one(customers.friends_of, parents, "id", viewer)]

    @batched("Current block; null if the customer is not blocked.", parent_columns=("id",))
    async def block(parents: ParentRows, info: Info) -> list[Block | None]:
        return await info.context.load_one(customers.blocks, parents, "id", info.context.now)

    @batched("Tags of the customer, sorted by name.", parent_columns=("id",), inspected_columns=("kind",))
    async def tags(
        parents: ParentRows,
        info: Info,
        kind: Annotated[TagKind | None, strawberry.argument(description="Only tags of this kind.")] = None,
    ) -> list[list[Tag]]:
        worn = await info.context.load_many(tags.by_customer, parents, "id")
        return worn if kind is None else [[tag for tag in each if tag.kind == kind] for each in worn]

    @batched(
        "Segments that contain the customer, sorted by name; empty for an archived customer.", parent_columns=("id",)
    )
    async def segments(parents: ParentRows, info: Info) -> list[list[Segment]]:
        every = await segments.all_ids(info.context.session)
        held = await list_arguments.segment_memberships(info.context, [parent.id for parent in parents], every)
        rows = await info.context.load(segments.by_ids, every)
        return [[rows[one] for one in every if one in held.get(parent.id, ())] for parent in parents]

    @batched("One custom field with its value.", parent_columns=("id",))
    async def custom_field(parents: ParentRows, info: Info, key: FieldKeyArgument) -> list[CustomFieldValue | None]:
        return [found[0] for found in await fields.custom_values_of(info.context, parents, EntityType.CUSTOMER, [key])]

    @batched("Active custom fields in order, each with its value.", parent_columns=("id",))
    async def custom_fields(
        parents: ParentRows, info: Info, keys: FieldKeysArgument = None
    ) -> list[list[CustomFieldValue]]:
        return await fields.custom_values_of(info.context, parents, EntityType.CUSTOMER, keys)

    @batched("Notes about the customer, newest first.", parent_columns=("id",))
    async def notes(
        parents: ParentRows, info: Info, first: FirstArgument = None, after: AfterArgument = None
    ) -> list[Connection[Note]]:
        return await activity_connections(info, parents, tables.Note, first, after, UNSET)

    @batched("Interactions with the customer, newest first.", parent_columns=("id",))
    async def interactions(
        parents: ParentRows,
        info: Info,
        filter: list_arguments.InteractionFilterArgument = UNSET,
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> list[Connection[Interaction]]:
        return await activity_connections(info, parents, tables.Interaction, first, after, filter)

    @batched("Orders of the customer, newest first.", parent_columns=("id",))
    async def orders(
        parents: ParentRows,
        info: Info,
        filter: list_arguments.OrderFilterArgument = UNSET,
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> list[Connection[Order]]:
        return await activity_connections(info, parents, tables.Order, first, after, filter)

    @batched("Changes, notes, interactions and orders, newest first.", parent_columns=("id",))
    async def timeline(
        parents: ParentRows, info: Info, first: FirstArgument = None, after: AfterArgument = None
    ) -> list[TimelineConnection]:
        return await load_timelines(info.context, parents, first, after)

    @batched(
        "Actions that the viewer may perform on the customer now.",
        parent_columns=(
            "id", "stage", "owner_id", "department_id", "archived_at", "reseller_relationship", "previous_owner_id",
            "released_at",
        ),
    )  # fmt: skip
    async def viewer_can(parents: ParentRows, info: Info) -> list[list[CustomerAction]]:
        blocks = await info.context.load_one(customers.blocks, parents, "id", info.context.now)
        viewer, pairs = info.context.viewer, list(zip(parents, blocks, strict=True))
        free = any(allowed_actions.may_claim(viewer, row) for row in parents)
        held = (
            await claims.claim_allowance(info.context.session, viewer, info.context.now) if free else claims.NO_CLAIMS
        )
        return [
            allowed_actions.allowed_actions(viewer, row, blocked=block is not None, claims=held) for row, block in pairs
        ]

    @batched(
        f"Possible duplicates, most likely first; at most {MAX_MATCHES}, none for an archived customer.",
        parent_columns=("id",),
    )
    async def duplicates(parents: ParentRows, info: Info) -> list[list[DuplicateMatch]]:
        return await duplicate_matches(info.context, parents)

    @batched("Ids of the customers that were merged into this customer.", parent_columns=("id",))
    async def merged_from(parents: ParentRows, info: Info) -> list[list[strawberry.ID]]:
        merged = await info.context.load_many(customers.merged_ids, parents, "id")
        return [[strawberry.ID(_wire(row.id)) for row in rows] for rows in merged]


async def _today(info: Any) -> date:
    return datetime.fromtimestamp(info.context.now / 1000, await workspaces.time_zone(info.context.session)).date()


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
