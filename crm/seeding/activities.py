"""The activities of a customer: notes, interactions and orders that match the customer's state."""

import orjson

from crm.seeding import log_values
from crm.seeding.customer_draft import CustomerDraft
from crm.seeding.locales.locale import Locale
from crm.seeding.people import fold_cached
from crm.seeding.plan import SeedPlan
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.tables.enums import (
    ActorKind,
    Direction,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    SubscriptionStatus,
)

_Kind = tuple[InteractionKind, Direction | None, InteractionOutcome | None]

_PAID_PAYMENT: _Kind = (InteractionKind.PAYMENT, Direction.INBOUND, InteractionOutcome.PAID)
# Interactions that make a LEAD a CUSTOMER automatically; a LEAD has none of these.
_COUNTED_KINDS: tuple[_Kind, ...] = (
    _PAID_PAYMENT,
    _PAID_PAYMENT,
    (InteractionKind.MESSAGE, Direction.INBOUND, None),
    (InteractionKind.APPOINTMENT, None, InteractionOutcome.ATTENDED),
    (InteractionKind.EVENT, None, InteractionOutcome.ATTENDED),
)
_OTHER_KINDS: tuple[_Kind, ...] = (
    (InteractionKind.CALL, Direction.OUTBOUND, None),
    (InteractionKind.CALL, Direction.INBOUND, None),
    (InteractionKind.MESSAGE, Direction.OUTBOUND, None),
    (InteractionKind.EMAIL, Direction.OUTBOUND, None),
    (InteractionKind.EMAIL, Direction.INBOUND, None),
    (InteractionKind.MARKETING_DELIVERED, Direction.OUTBOUND, None),
    (InteractionKind.MARKETING_VIEWED, Direction.INBOUND, None),
    (InteractionKind.MARKETING_CLICKED, Direction.INBOUND, None),
    (InteractionKind.FOLLOW_UP, Direction.OUTBOUND, None),
    (InteractionKind.CARE, Direction.OUTBOUND, None),
    (InteractionKind.MEETING, None, None),
    (InteractionKind.APPOINTMENT, None, InteractionOutcome.NO_SHOW),
    (InteractionKind.APPOINTMENT, None, InteractionOutcome.CANCELLED),
    (InteractionKind.EVENT, None, InteractionOutcome.NO_SHOW),
    (InteractionKind.PAYMENT, Direction.INBOUND, InteractionOutcome.FAILED),
    (InteractionKind.PAYMENT, Direction.INBOUND, InteractionOutcome.VOID),
    (InteractionKind.OTHER, None, None),
)
# For each subscription status the probability and kind of the interaction that caused it.
_SUBSCRIPTION_CAUSES: dict[SubscriptionStatus, tuple[float, _Kind]] = {
    SubscriptionStatus.SUBSCRIBED: (0.1, (InteractionKind.OPT_IN, Direction.INBOUND, None)),
    SubscriptionStatus.UNSUBSCRIBED: (0.5, (InteractionKind.OPT_OUT, Direction.INBOUND, None)),
    SubscriptionStatus.DELETED: (0.8, (InteractionKind.DELIVERY_FAILED, None, None)),
}
_MAILING_KINDS = frozenset(
    {
        InteractionKind.MARKETING_DELIVERED,
        InteractionKind.MARKETING_VIEWED,
        InteractionKind.MARKETING_CLICKED,
        InteractionKind.OPT_IN,
        InteractionKind.OPT_OUT,
        InteractionKind.DELIVERY_FAILED,
    }
)
_CHANNELS = {
    InteractionKind.CALL: ("phone",),
    InteractionKind.MESSAGE: ("zalo", "whatsapp", "wecom", "messenger"),
    InteractionKind.MEETING: ("store", "video"),
    InteractionKind.PAYMENT: ("card", "transfer", "cash"),
}
_CAMPAIGNS = ("Tết 2026", "Offerta estate", "Ramadan 2026", "Black Friday", "Chào năm học mới", "Natale 2025")
_SUBJECTS = (None, None, "Báo giá", "Preventivo", "Penawaran", "Quote", "Chăm sóc sau bán", "Richiesta", "Keluhan")
_PRODUCTS = (
    "Áo dài lụa", "Nồi cơm điện", "Cà phê Đắk Lắk 1kg", "Caffè in grani 1kg", "Borsa in pelle", "Olio extravergine 5l",
    "Batik tulis", "Kopi Toraja 1kg", "Blender", "Kettle", "Wool scarf", "Tea sampler", "Điện thoại", "Tủ lạnh",
    "Kipas angin", "Lampada da tavolo",
)  # fmt: skip
_ORDER_STATUSES = ("delivered", "delivered", "delivered", "paid", "shipped", "cancelled", "returned")
# Number of activities by relationship: on average one interaction and half an order.
_INTERACTION_COUNTS = {
    RelationshipStatus.LEAD: (0, 0, 0, 0, 0, 1, 1, 1, 2, 2),
    RelationshipStatus.CUSTOMER: (1, 1, 1, 1, 1, 2, 2, 3),
    RelationshipStatus.VIP: (2, 3, 3, 4, 5, 6),
}
_ORDER_COUNTS = {
    RelationshipStatus.LEAD: (0,),
    RelationshipStatus.CUSTOMER: (0, 0, 1, 1, 1, 1, 2, 3),
    RelationshipStatus.VIP: (1, 2, 3, 4, 5),
}
_NOTE_COUNTS = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2)


def add_activities(customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows) -> None:
    """Adds the activities between the customer's creation and archiving, or the current time."""
    until = customer.archived_at or plan.until
    _add_interactions(customer, source, plan, rows, until)
    for order_number in range(source.pick(_ORDER_COUNTS[customer.relationship])):
        _add_order(customer, source, plan, rows, order_number, until)
    for _ in range(source.pick(_NOTE_COUNTS)):
        _add_note(customer, source, plan, rows, until)
    if customer.relationship is not RelationshipStatus.LEAD:
        customer.value = customer.spent + _random_price(source, customer.locale)
    elif source.random() < 0.3:
        customer.value = _random_price(source, customer.locale)


def _add_interactions(
    customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows, until: int
) -> None:
    for index in range(source.pick(_INTERACTION_COUNTS[customer.relationship])):
        if customer.relationship is RelationshipStatus.LEAD or index:
            kind = source.pick(_OTHER_KINDS)
        else:
            kind = _PAID_PAYMENT if source.random() < 0.7 else source.pick(_COUNTED_KINDS)
        _add_interaction(customer, source, plan, rows, kind, until)
    if cause := _SUBSCRIPTION_CAUSES.get(customer.subscription):
        chance, kind = cause
        if source.random() < chance:
            _add_interaction(customer, source, plan, rows, kind, until)


def _add_interaction(
    customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows, kind: _Kind, until: int
) -> None:
    interaction_kind, direction, outcome = kind
    occurred_at = source.integer_between(customer.created_at, until)
    is_mailing, is_payment = interaction_kind in _MAILING_KINDS, interaction_kind is InteractionKind.PAYMENT
    amount = _random_price(source, customer.locale) if is_payment else None
    if kind is _PAID_PAYMENT and amount:
        customer.spent += amount
    is_external = source.random() < 0.1
    identifier = source.record_id(occurred_at)
    rows.rows_of(tables.Interaction).append(
        (
            rows.workspace_id,
            identifier,
            occurred_at,
            customer.id,
            interaction_kind.value,
            None if direction is None else direction.value,
            "email" if is_mailing else source.pick(_CHANNELS.get(interaction_kind, ("email", "phone", "store"))),
            None if outcome is None else outcome.value,
            None if is_mailing else source.pick(_SUBJECTS),
            source.pick_early(_CAMPAIGNS) if is_mailing else None,
            amount,
            occurred_at,
            None if is_mailing or is_payment else customer.owner_id,
            "gateway" if is_external else None,
            identifier.hex()[12:] if is_external else None,
            False,
        )
    )
    if occurred_at > (customer.last_interaction_at or 0):
        customer.last_interaction_at = occurred_at


def _add_order(
    customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows, number: int, until: int
) -> None:
    locale, placed_at = customer.locale, source.integer_between(customer.created_at, until)
    price, quantity = _random_price(source, locale), 1 + int(source.random() ** 3 * 4)
    total = price * quantity
    status = source.pick(_ORDER_STATUSES)
    if status not in ("cancelled", "returned"):
        customer.spent += total
    lines = [{"name": source.pick(_PRODUCTS), "quantity": quantity, "price": log_values.format_amount(price)}]
    rows.rows_of(tables.Order).append(
        (
            rows.workspace_id,
            source.record_id(placed_at),
            placed_at,
            customer.id,
            source.pick_early(locale.shops),
            f"{plan.seed}-{customer.number:07}-{number + 1}",
            status,
            total,
            locale.currency,
            placed_at,
            orjson.dumps(lines),
        )
    )


def _add_note(customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows, until: int) -> None:
    locale, written_at = customer.locale, source.integer_between(customer.created_at, until)
    event, subject, next_step = (
        source.pick(locale.note_events),
        source.pick(locale.note_subjects),
        source.pick(locale.note_next_steps),
    )
    body = f"{event} {subject}. {next_step}"
    folded = f"{fold_cached(event)} {fold_cached(subject)}. {fold_cached(next_step)}"
    author = customer.owner_id or source.pick(plan.agents[locale.country]).agent_id
    rows.rows_of(tables.Note).append(
        (
            rows.workspace_id,
            source.record_id(written_at),
            written_at,
            written_at,
            1,
            customer.id,
            body,
            folded,
            ActorKind.AGENT.value,
            author,
        )
    )
    customer.notes.append(folded)


def _random_price(source: RandomSource, locale: Locale) -> int:
    """A price in ten-thousandths: most are near the typical price, a few a hundred times higher."""
    return (
        max(int(locale.typical_price * source.lognormal(0, 1.1) * 10_000) // locale.price_step, 1) * locale.price_step
    )
