"""Types of notes, interactions and orders."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info
from strawberry.scalars import JSON

from db import tables
from db.paging import keyset, nested_pages
from db.queries import activities
from db.queries.catalogue import agents
from db.queries.customers import customers
from graph.access.actors import Actor, load_actors
from graph.catalogue.agents import Agent
from graph.engine.field_declarations import ParentRows, batched, column
from graph.filtering import list_arguments
from graph.types import ids
from graph.types.connections import ListBatch, ListHandle, page_request
from graph.types.enums import Direction, InteractionKind, InteractionOutcome
from graph.types.external_ids import ExternalId
from graph.types.nodes import Node, Record, is_row_of
from graph.types.scalars import DateTime, Decimal

if TYPE_CHECKING:
    from graph.customers import Customer

_CUSTOMER = strawberry.lazy("graph.customers")


@strawberry.type(description="A note about a customer.")
class Note(Record, Node):
    is_type_of = is_row_of(tables.Note)

    id: strawberry.ID = column("Id of the note.", convert=ids.id_encoder("Note"))
    body: str = column("Text: 1 to 1 000 characters.")

    @batched("Author of the note.", parent_columns=("author_kind", "author_id"))
    async def author(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "author")

    @batched("Customer that the record belongs to.", parent_columns=("customer_id",))
    async def customer(parents: ParentRows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.load_one(customers.by_ids, parents, "customer_id", info.context.viewer.visibility)


@strawberry.type(description="An event between the business and a customer: a call, a message, a payment and so on.")
class Interaction(Node):
    is_type_of = is_row_of(tables.Interaction)

    id: strawberry.ID = column("Id of the interaction.", convert=ids.id_encoder("Interaction"))
    kind: InteractionKind = column("Kind of interaction.")
    direction: Direction | None = column("Who began.")
    channel: str | None = column("Channel, such as WeCom, Zalo, WhatsApp, phone or shop.")
    outcome: InteractionOutcome | None = column("Outcome; null if it has none.")
    subject: str | None = column("Subject, one line.")
    body: str | None = column("Content, as text.")
    campaign: str | None = column("Campaign that the interaction belongs to.")
    amount: Decimal | None = column("Amount of money, as a decimal.")
    occurred_at: DateTime = column("Time of the interaction.")

    @batched("Agent who took part.", parent_columns=("agent_id",))
    async def agent(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "agent_id")

    @batched("With whom.", parent_columns=("customer_id",))
    async def customer(parents: ParentRows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.load_one(customers.by_ids, parents, "customer_id", info.context.viewer.visibility)

    @batched("Id in another system; null if it has none.", parent_columns=("external_system", "external_value"))
    async def external_id(parents: ParentRows, info: Info) -> list[ExternalId | None]:
        return [
            None if row.external_value is None else ExternalId(system=row.external_system, value=row.external_value)
            for row in parents
        ]


@strawberry.type(description="A purchase, made here or in another system.")
class Order(Node):
    is_type_of = is_row_of(tables.Order)

    id: strawberry.ID = column("Id of the order.", convert=ids.id_encoder("Order"))
    source: str = column("System that the order comes from.")
    number: str = column("Number of the order; unique within its source.")
    status: str | None = column("Status of the order in that system.")
    total: Decimal | None = column("The sum.")
    currency: str | None = column("Currency of the total: a three-letter ISO 4217 code.")
    placed_at: DateTime = column("Time of the order.")
    lines: JSON | None = column("Order lines, as JSON from the other system.")

    @batched("Who bought.", parent_columns=("customer_id",))
    async def customer(parents: ParentRows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.load_one(customers.by_ids, parents, "customer_id", info.context.viewer.visibility)


async def activity_connections(
    info: Info, parents: Sequence[Any], table: activities.Activity, first: int | None, after: str | None, filter: Any
) -> list[Any]:
    """A page of each customer's rows of `table`, newest first."""
    context = info.context
    session, viewer, place = context.session, context.viewer, page_request(first, after)
    with list_arguments.query_errors_as_bad_input():
        listing, order = await activities.list_query(
            session,
            table,
            list_arguments.filter_data(filter),
            visibility=viewer.visibility,
            agent_id=viewer.agent_id,
            now=context.now,
        )
        keyset.check_request(order, place)
    keys = list(dict.fromkeys(parent.id for parent in parents))
    lists = ListBatch(
        lambda: nested_pages.fetch_pages(session, keys, activities.CUSTOMERS_AS_PARENTS, listing, place, order),
        lambda at_most: nested_pages.fetch_counts(session, keys, activities.CUSTOMERS_AS_PARENTS, listing, at_most),
    )
    return [ListHandle(lists, parent.id) for parent in parents]
