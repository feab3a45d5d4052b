"""What a customer is: the type and its relations."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info

from crm.assignment import claims
from crm.customers import allowed_actions
from crm.customers import subscription_status as subscriptions
from crm.merging.duplicates import MAX_MATCHES
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


@strawberry.type(description="Why a customer is blocked.")
class Block:
    reason: str = column("Why.")
    until: DateTime | None = column("When it ends; null means never.")
    at: DateTime = column("When it began.")

    @batched("Who blocked.", parent_columns=("actor_kind", "actor_id"))
    async def by(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "actor")


@strawberry.type(description="A person whom the business knows.")
class Customer(Record, Node):
    is_type_of = is_row_of(tables.Customer)

    id: strawberry.ID = column("The customer's id.", convert=_wire)
    name: str = column("The name shown in lists.")
    nickname: str | None = column("What the customer likes to be called.")
    real_name: str | None = column("The name in official papers.")
    avatar_url: str | None = column("Where a picture is.")
    phone: str | None = column("The primary number, in E.164.")
    email: str | None = column("The primary address, as it was given.")
    gender: Gender | None = column("The gender; null when unknown.")
    birth_date: Date | None = column("The birth date; null when unknown.")
    value: Decimal = column("What the customer is worth to the business; 0 when nobody said.")
    source: str | None = column("Where the customer came from.")
    channel: str | None = column("How the customer is reached best.")
    relationship_status: RelationshipStatus = column("How close the customer is to the business.")
    subscription_status: SubscriptionStatus = column("Whether the customer is on the mailing list.")
    stage: CustomerStage = column("Where the customer stands in the flow of work.")
    verification: Verification = column("Whether the details were checked.")
    follow_up_stage: str | None = column("How far the follow-up is, in the workspace's own words; only in FOLLOW_UP.")
    reseller_relationship: bool = column("True when the business may manage the customer; tags need it.")
    archived_at: DateTime | None = column("When the customer was archived; null for one who is not.")
    last_interaction_at: DateTime | None = column("When something last happened with the customer.")

    @batched("Ids in other systems.", parent_columns=("id",))
    async def external_ids(parents: ParentRows, info: Info) -> list[list[ExternalId]]:
        return await info.context.load_many(customers.external_ids, parents, "id")

    @batched("All numbers in E.164, the primary one first.", parent_columns=("id",))
    async def phones(parents: ParentRows, info: Info) -> list[list[str]]:
        return [[row.phone for row in rows] for rows in await info.context.load_many(customers.phones, parents, "id")]

    @batched("All addresses, the primary one first.", parent_columns=("id",))
    async def emails(parents: ParentRows, info: Info) -> list[list[str]]:
        return [[row.email for row in rows] for rows in await info.context.load_many(customers.emails, parents, "id")]

    @batched(
        "Full years since birth, today in the workspace; null without a birth date.", parent_columns=("birth_date",)
    )
    async def age(parents: ParentRows, info: Info) -> list[int | None]:
        today = await _today(info)
        return [
            None if row.birth_date is None else _years(date.fromisoformat(row.birth_date), today) for row in parents
        ]

    @batched("Where the customer lives; null when nothing of it is known.", parent_columns=addresses.ADDRESS_COLUMNS)
    async def address(parents: ParentRows, info: Info) -> list[Address | None]:
        return addresses.address_of(parents)

    @batched(
        "Where a person may move the subscription to now; empty when archived.",
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

    @batched("The agent who looks after the customer; set exactly in FOLLOW_UP.", parent_columns=("owner_id",))
    async def owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "owner_id")

    @batched("The agent who did before.", parent_columns=("previous_owner_id",))
    async def previous_owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "previous_owner_id")

    @batched("The department that the customer belongs to or waits in.", parent_columns=("department_id",))
    async def department(parents: ParentRows, info: Info) -> list[Department | None]:
        return await info.context.load_one(departments.by_ids, parents, "department_id")

    @batched("The company that the customer belongs to.", parent_columns=("company_id",))
    async def company(parents: ParentRows, info: Info) -> list[Company | None]:
        return await info.context.load_one(companies.by_ids, parents, "company_id")

    @batched("The agents who are WeChat friends of the customer.", parent_columns=("id",))
    async def wechat_friends(parents: ParentRows, info: Info) -> list[list[Agent]]:
        return await info.context.load_many(agents.friends_by_customer, parents, "id")

    @batched("True when the viewer is a WeChat friend of the customer.", parent_columns=("id",))
    async def is_wechat_friend(parents: ParentRows, info: Info) -> list[bool]:
        viewer = info.context.viewer.agent_id
        return [bool(found) for found in await info.context.load_one(customers.friends_of, parents, "id", viewer)]

    @batched("The block that holds now; null when there is none.", parent_columns=("id",))
    async def block(parents: ParentRows, info: Info) -> list[Block | None]:
        return await info.context.load_one(customers.blocks, parents, "id", info.context.now)

    @batched("The tags that the customer wears, by name.", parent_columns=("id",), inspected_columns=("kind",))
    async def tags(
        parents: ParentRows,
        info: Info,
        kind: Annotated[TagKind | None, strawberry.argument(description="Only tags of this kind.")] = None,
    ) -> list[list[Tag]]:
        worn = await info.context.load_many(tags.by_customer, parents, "id")
        return worn if kind is None else [[tag for tag in each if tag.kind == kind] for each in worn]

    @batched("The segments that the customer is in, by name; an archived customer is in none.", parent_columns=("id",))
    async def segments(parents: ParentRows, info: Info) -> list[list[Segment]]:
        every = await segments.all_ids(info.context.session)
        held = await list_arguments.segment_memberships(info.context, [parent.id for parent in parents], every)
        rows = await info.context.load(segments.by_ids, every)
        return [[rows[one] for one in every if one in held.get(parent.id, ())] for parent in parents]

    @batched("One custom field, with its value.", parent_columns=("id",))
    async def custom_field(parents: ParentRows, info: Info, key: FieldKeyArgument) -> list[CustomFieldValue | None]:
        return [found[0] for found in await fields.custom_values_of(info.context, parents, EntityType.CUSTOMER, [key])]

    @batched("The active custom fields in order, each with its value.", parent_columns=("id",))
    async def custom_fields(
        parents: ParentRows, info: Info, keys: FieldKeysArgument = None
    ) -> list[list[CustomFieldValue]]:
        return await fields.custom_values_of(info.context, parents, EntityType.CUSTOMER, keys)

    @batched("What was written down about the customer, newest first.", parent_columns=("id",))
    async def notes(
        parents: ParentRows, info: Info, first: FirstArgument = None, after: AfterArgument = None
    ) -> list[Connection[Note]]:
        return await activity_connections(info, parents, tables.Note, first, after, UNSET)

    @batched("What happened with the customer, newest first.", parent_columns=("id",))
    async def interactions(
        parents: ParentRows,
        info: Info,
        filter: list_arguments.InteractionFilterArgument = UNSET,
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> list[Connection[Interaction]]:
        return await activity_connections(info, parents, tables.Interaction, first, after, filter)

    @batched("What the customer bought, newest first.", parent_columns=("id",))
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
        "What the viewer may do to the customer now.",
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
        f"Others who may be the same person, the likeliest first, {MAX_MATCHES} at most; none for an archived customer.",
        parent_columns=("id",),
    )
    async def duplicates(parents: ParentRows, info: Info) -> list[list[DuplicateMatch]]:
        return await duplicate_matches(info.context, parents)

    @batched("The ids of those who were merged into this customer.", parent_columns=("id",))
    async def merged_from(parents: ParentRows, info: Info) -> list[list[strawberry.ID]]:
        merged = await info.context.load_many(customers.merged_ids, parents, "id")
        return [[strawberry.ID(_wire(row.id)) for row in rows] for rows in merged]


async def _today(info: Any) -> date:
    return datetime.fromtimestamp(info.context.now / 1000, await workspaces.time_zone(info.context.session)).date()


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
