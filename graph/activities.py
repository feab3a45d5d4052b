"""What happened with a customer: notes, interactions, orders."""

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info
from strawberry.scalars import JSON

from db import tables
from db.paging import Page
from db.queries import activities, agents, customers
from graph import ids
from graph.actors import Actor, actors
from graph.agents import Agent
from graph.engine.fields import Rows, batched, column
from graph.enums import Direction, InteractionKind, InteractionOutcome
from graph.nodes import Node, Record, read_from
from graph.paging import Listed, page_size, place
from graph.scalars import DateTime, Decimal
from graph.values import ExternalId

if TYPE_CHECKING:
    from graph.customers import Customer

_CUSTOMER = strawberry.lazy("graph.customers")
# A cursor of these lists: the moment and the id of a row.
_PLACE = struct.Struct(">q16s")


@strawberry.type(description="What somebody wrote down about a customer.")
class Note(Record, Node):
    is_type_of = read_from(tables.Note)

    id: strawberry.ID = column("The note's id.", convert=ids.wire("Note"))
    body: str = column("The text: 1 to 1 000 characters.")

    @batched("Who wrote it.", needs=("author_kind", "author_id"))
    async def author(parents: Rows, info: Info) -> list[Actor]:
        return await actors(info.context, parents, "author")

    @batched("Whom it is about.", needs=("customer_id",))
    async def customer(parents: Rows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.one(customers.by_ids, parents, "customer_id", info.context.viewer.sight)


@strawberry.type(description="Something that happened between the business and a customer.")
class Interaction(Node):
    is_type_of = read_from(tables.Interaction)

    id: strawberry.ID = column("The interaction's id.", convert=ids.wire("Interaction"))
    kind: InteractionKind = column("What it was.")
    direction: Direction | None = column("Who began.")
    channel: str | None = column("Where: WeCom, Zalo, WhatsApp, phone, shop …")
    outcome: InteractionOutcome | None = column("How it ended.")
    subject: str | None = column("What it was about, in a line.")
    body: str | None = column("What was said.")
    campaign: str | None = column("The campaign that it belongs to.")
    amount: Decimal | None = column("The money in it.")
    occurred_at: DateTime = column("When it happened.")

    @batched("The agent who took part.", needs=("agent_id",))
    async def agent(parents: Rows, info: Info) -> list[Agent | None]:
        return await info.context.one(agents.by_ids, parents, "agent_id")

    @batched("With whom.", needs=("customer_id",))
    async def customer(parents: Rows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.one(customers.by_ids, parents, "customer_id", info.context.viewer.sight)

    @batched("What it is called in another system.", needs=("external_system", "external_value"))
    async def external_id(parents: Rows, info: Info) -> list[ExternalId | None]:
        return [
            None if row.external_value is None else ExternalId(system=row.external_system, value=row.external_value)
            for row in parents
        ]


@strawberry.type(description="A purchase, here or in another system.")
class Order(Node):
    is_type_of = read_from(tables.Order)

    id: strawberry.ID = column("The order's id.", convert=ids.wire("Order"))
    source: str = column("The system that it was made in.")
    number: str = column("Its number there; unique within the source.")
    status: str | None = column("Its state there.")
    total: Decimal | None = column("The sum.")
    currency: str | None = column("The currency of the sum, by its three letters.")
    placed_at: DateTime = column("When it was placed.")
    lines: JSON | None = column("What was bought, as the other system tells it.")

    @batched("Who bought.", needs=("customer_id",))
    async def customer(parents: Rows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.one(customers.by_ids, parents, "customer_id", info.context.viewer.sight)


async def listed(
    info: Info, parents: Sequence[Any], table: activities.Activity, first: int | None, after: str | None
) -> list[Any]:
    """A page of each customer's rows of `table`, newest first."""
    held = place(after, "after", _PLACE.size)
    where = _PLACE.unpack(held) if held else None
    keys = [parent.id for parent in parents]
    pages = await activities.pages(info.context.reading, keys, table, page_size(first), where)

    async def count(keys: Sequence[Any], at_most: int | None) -> Mapping[Any, int]:
        found = await activities.counts(info.context.reading, keys, table)
        return found if at_most is None else {key: min(number, at_most) for key, number in found.items()}

    def shown(row: Any) -> bytes:
        return _PLACE.pack(getattr(row, activities.MOMENTS[table]), row.id)

    empty = Page([], has_next=False, has_previous=after is not None)
    return [Listed(pages.get(key, empty), count, key, shown) for key in keys]
