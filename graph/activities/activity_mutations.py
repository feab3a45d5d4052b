"""Writing down what happens with a customer: notes, interactions, orders."""

from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import Info, Maybe
from strawberry.scalars import JSON

from crm.activities import interactions, notes, orders
from graph.activities.activity_types import Interaction, Note, Order
from graph.catalogue.agents import AgentRef
from graph.customers.queries import CustomerRef
from graph.customers.types import Customer
from graph.errors.user_errors import UserError, mutation
from graph.types.enums import Direction, InteractionKind, InteractionOutcome, Outcome, Permission
from graph.types.external_ids import ExternalIdInput
from graph.types.inputs import input_data
from graph.types.scalars import DateTime, Decimal

_Customer: TypeAlias = Annotated[CustomerRef, strawberry.argument(description="Which customer.")]


@strawberry.input(description="What a note says.")
class NoteInput:
    body: str = strawberry.field(description=f"1 to {notes.MAX_NOTE_LENGTH} characters.")


@strawberry.type(description="What became of a note.")
class NotePayload:
    note: Note | None = strawberry.field(default=None, description="As it is now, or was; null when refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.input(description="Something that happened with a customer.")
class InteractionInput:
    kind: InteractionKind = strawberry.field(description="What it was. OPT_IN needs CONSENT_RECORD.")
    direction: Maybe[Direction | None] = strawberry.field(description="Who began.")
    channel: Maybe[str | None] = strawberry.field(description="Where: WeCom, Zalo, WhatsApp, phone, shop …")
    outcome: Maybe[InteractionOutcome | None] = strawberry.field(description="How it ended.")
    subject: Maybe[str | None] = strawberry.field(description="What it was about, in a line.")
    body: Maybe[str | None] = strawberry.field(description="What was said.")
    campaign: Maybe[str | None] = strawberry.field(description="The campaign that it belongs to.")
    amount: Maybe[Decimal | None] = strawberry.field(description="The money in it.")
    occurred_at: Maybe[DateTime | None] = strawberry.field(description="When it happened; now unless given.")
    agent: Maybe[AgentRef | None] = strawberry.field(description="The agent who took part.")
    external_id: Maybe[ExternalIdInput | None] = strawberry.field(
        description="What it is called in another system; one that is known is not recorded again."
    )


@strawberry.type(description="What became of an interaction.")
class InteractionPayload:
    interaction: Interaction | None = strawberry.field(
        default=None, description="What was recorded, or was known already; null when refused."
    )
    customer: Customer | None = strawberry.field(default=None, description="The customer as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.input(description="A purchase. What is left out stays as it is; null clears it.")
class OrderInput:
    source: str = strawberry.field(description="The system that it was made in.")
    number: str = strawberry.field(description="Its number there; the same order whenever both are the same.")
    status: Maybe[str | None] = strawberry.field(description="Its state there.")
    total: Maybe[Decimal | None] = strawberry.field(description="The sum.")
    currency: Maybe[str | None] = strawberry.field(description="The currency of the sum, by its three letters.")
    placed_at: Maybe[DateTime | None] = strawberry.field(description="When it was placed; now unless given.")
    lines: Maybe[JSON | None] = strawberry.field(description="What was bought, as the other system tells it.")


@strawberry.type(description="What became of an order.")
class OrderPayload:
    order: Order | None = strawberry.field(default=None, description="As it is now, or was; null when refused.")
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What was done.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _note(done: Any) -> NotePayload:
    return NotePayload(note=done)


def _interaction(done: interactions.RecordedInteraction) -> InteractionPayload:
    return InteractionPayload(interaction=done.interaction, customer=done.customer)


def _order(done: orders.OrderResult) -> OrderPayload:
    return OrderPayload(order=done.order, outcome=done.outcome)


@strawberry.type
class Mutation:
    @mutation(Permission.NOTE_WRITE, "Write a note about a customer.", payload=NotePayload)
    async def note_create(
        self,
        info: Info,
        customer: _Customer,
        input: Annotated[NoteInput, strawberry.argument(description="What it says.")],
    ) -> NotePayload:
        return await info.context.mutate(lambda unit: notes.create(unit, input_data(customer), input.body), _note)

    @mutation(Permission.NOTE_WRITE, "Rewrite one's own note, or any with NOTE_MANAGE.", payload=NotePayload)
    async def note_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which note.")],
        input: Annotated[NoteInput, strawberry.argument(description="What it says from now on.")],
    ) -> NotePayload:
        return await info.context.mutate(lambda unit: notes.update(unit, id, input.body), _note)

    @mutation(Permission.NOTE_WRITE, "Delete one's own note, or any with NOTE_MANAGE.", payload=NotePayload)
    async def note_delete(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which note.")]
    ) -> NotePayload:
        return await info.context.mutate(lambda unit: notes.delete(unit, id), _note)

    @mutation(
        Permission.INTERACTION_RECORD,
        "Record what happened with a customer; it may move the relationship and the subscription.",
        payload=InteractionPayload,
    )
    async def interaction_record(
        self,
        info: Info,
        customer: _Customer,
        input: Annotated[InteractionInput, strawberry.argument(description="What happened.")],
    ) -> InteractionPayload:
        return await info.context.mutate(
            lambda unit: interactions.record(unit, input_data(customer), input_data(input)), _interaction
        )

    @mutation(
        Permission.INTERACTION_RECORD,
        "Write down an order, or change the one with that source and number.",
        payload=OrderPayload,
    )
    async def order_upsert(
        self,
        info: Info,
        customer: _Customer,
        input: Annotated[OrderInput, strawberry.argument(description="The order.")],
    ) -> OrderPayload:
        return await info.context.mutate(
            lambda unit: orders.upsert(unit, input_data(customer), input_data(input)), _order
        )

    @mutation(Permission.INTERACTION_RECORD, "Delete an order.", payload=OrderPayload)
    async def order_delete(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which order.")]
    ) -> OrderPayload:
        return await info.context.mutate(lambda unit: orders.delete(unit, id), _order)
