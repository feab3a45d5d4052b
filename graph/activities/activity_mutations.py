"""Mutations of notes, interactions and orders."""

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


@strawberry.input(description="Content of a note.")
class NoteInput:
    body: str = strawberry.field(description=f"Text of the note: 1 to {notes.MAX_NOTE_LENGTH} characters.")


@strawberry.type(description="Result of a note mutation.")
class NotePayload:
    note: Note | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


@strawberry.input(description="An event between the business and a customer.")
class InteractionInput:
    kind: InteractionKind = strawberry.field(description="Kind of interaction. OPT_IN requires CONSENT_RECORD.")
    direction: Maybe[Direction | None] = strawberry.field(description="Who began.")
    channel: Maybe[str | None] = strawberry.field(description="Channel, such as WeCom, Zalo, WhatsApp, phone or shop.")
    outcome: Maybe[InteractionOutcome | None] = strawberry.field(description="Outcome; null if it has none.")
    subject: Maybe[str | None] = strawberry.field(description="Subject, one line.")
    body: Maybe[str | None] = strawberry.field(description="Content, as text.")
    campaign: Maybe[str | None] = strawberry.field(description="Campaign that the interaction belongs to.")
    amount: Maybe[Decimal | None] = strawberry.field(description="Amount of money, as a decimal.")
    occurred_at: Maybe[DateTime | None] = strawberry.field(description="Time of the interaction. Default: now.")
    agent: Maybe[AgentRef | None] = strawberry.field(description="Agent who took part.")
    external_id: Maybe[ExternalIdInput | None] = strawberry.field(
        description="Id in another system. An interaction with a known id is not recorded again."
    )


@strawberry.type(description="Result of recording an interaction.")
class InteractionPayload:
    interaction: Interaction | None = strawberry.field(
        default=None, description="The recorded or already known interaction; null if there are errors."
    )
    customer: Customer | None = strawberry.field(default=None, description="The customer after the mutation.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


@strawberry.input(description="Values of an order. Absent fields keep their value; null clears a value.")
class OrderInput:
    source: str = strawberry.field(description="System that the order comes from.")
    number: str = strawberry.field(
        description="Number of the order in that system. Source and number identify the order."
    )
    status: Maybe[str | None] = strawberry.field(description="Status of the order in that system.")
    total: Maybe[Decimal | None] = strawberry.field(description="The sum.")
    currency: Maybe[str | None] = strawberry.field(description="Currency of the total: a three-letter ISO 4217 code.")
    placed_at: Maybe[DateTime | None] = strawberry.field(description="Time of the order. Default: now.")
    lines: Maybe[JSON | None] = strawberry.field(description="Order lines, as JSON from the other system.")


@strawberry.type(description="Result of an order mutation.")
class OrderPayload:
    order: Order | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What the mutation did.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _note(done: Any) -> NotePayload:
    return NotePayload(note=done)


def _interaction(done: interactions.RecordedInteraction) -> InteractionPayload:
    return InteractionPayload(interaction=done.interaction, customer=done.customer)


def _order(done: orders.OrderResult) -> OrderPayload:
    return OrderPayload(order=done.order, outcome=done.outcome)


@strawberry.type
class Mutation:
    @mutation(
        Permission.NOTE_WRITE,
        "Creates a note about a customer. Requires NOTE_WRITE. Errors: NOT_FOUND, CUSTOMER_ARCHIVED, BLANK, TOO_LONG.",
        payload=NotePayload,
    )
    async def note_create(
        self,
        info: Info,
        customer: _Customer,
        input: Annotated[NoteInput, strawberry.argument(description="Text of the note.")],
    ) -> NotePayload:
        return await info.context.mutate(lambda unit: notes.create(unit, input_data(customer), input.body), _note)

    @mutation(
        Permission.NOTE_WRITE,
        "Changes the text of a note. Agents change their own notes; NOTE_MANAGE allows every note. Errors: "
        "NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, BLANK, TOO_LONG.",
        payload=NotePayload,
    )
    async def note_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which note.")],
        input: Annotated[NoteInput, strawberry.argument(description="New text of the note.")],
    ) -> NotePayload:
        return await info.context.mutate(lambda unit: notes.update(unit, id, input.body), _note)

    @mutation(
        Permission.NOTE_WRITE,
        "Deletes a note. Agents delete their own notes; NOTE_MANAGE allows every note. Errors: NOT_FOUND, "
        "FORBIDDEN, CUSTOMER_ARCHIVED.",
        payload=NotePayload,
    )
    async def note_delete(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which note.")]
    ) -> NotePayload:
        return await info.context.mutate(lambda unit: notes.delete(unit, id), _note)

    @mutation(
        Permission.INTERACTION_RECORD,
        (
            "Records an interaction. It may change the relationship status (automation) and the subscription "
            "status (OPT_IN, OPT_OUT, DELIVERY_FAILED). Requires INTERACTION_RECORD. A known `externalId` "
            "returns the existing interaction. Errors: NOT_FOUND, FORBIDDEN, TOO_LONG."
        ),
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
        (
            "Creates an order, or updates the order with the same source and number. Requires "
            "INTERACTION_RECORD. Errors: NOT_FOUND, CUSTOMER_ARCHIVED, BLANK, TOO_LONG."
        ),
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

    @mutation(
        Permission.INTERACTION_RECORD,
        "Deletes an order. Requires INTERACTION_RECORD. Errors: NOT_FOUND, CUSTOMER_ARCHIVED.",
        payload=OrderPayload,
    )
    async def order_delete(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which order.")]
    ) -> OrderPayload:
        return await info.context.mutate(lambda unit: orders.delete(unit, id), _order)
