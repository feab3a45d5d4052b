"""What happened with a customer: notes, interactions and orders that agree with where he stands."""

import orjson

from crm.seeding import log_values
from crm.seeding.customer_draft import Draft
from crm.seeding.locales.locale import Locale
from crm.seeding.people import key
from crm.seeding.plan import Plan
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
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

_PAID: _Kind = (InteractionKind.PAYMENT, Direction.INBOUND, InteractionOutcome.PAID)
# What makes a LEAD a CUSTOMER by itself; a LEAD has none of these.
_COUNTING: tuple[_Kind, ...] = (
    _PAID,
    _PAID,
    (InteractionKind.MESSAGE, Direction.INBOUND, None),
    (InteractionKind.APPOINTMENT, None, InteractionOutcome.ATTENDED),
    (InteractionKind.EVENT, None, InteractionOutcome.ATTENDED),
)
_OTHERS: tuple[_Kind, ...] = (
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
# What a subscription came from.
_MAILING: dict[SubscriptionStatus, tuple[float, _Kind]] = {
    SubscriptionStatus.SUBSCRIBED: (0.1, (InteractionKind.OPT_IN, Direction.INBOUND, None)),
    SubscriptionStatus.UNSUBSCRIBED: (0.5, (InteractionKind.OPT_OUT, Direction.INBOUND, None)),
    SubscriptionStatus.DELETED: (0.8, (InteractionKind.DELIVERY_FAILED, None, None)),
}
_MAILED = frozenset(
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
_STATUSES = ("delivered", "delivered", "delivered", "paid", "shipped", "cancelled", "returned")
# How many, by relationship: one interaction and half an order on average over all.
_INTERACTIONS = {
    RelationshipStatus.LEAD: (0, 0, 0, 0, 0, 1, 1, 1, 2, 2),
    RelationshipStatus.CUSTOMER: (1, 1, 1, 1, 1, 2, 2, 3),
    RelationshipStatus.VIP: (2, 3, 3, 4, 5, 6),
}
_ORDERS = {
    RelationshipStatus.LEAD: (0,),
    RelationshipStatus.CUSTOMER: (0, 0, 1, 1, 1, 1, 2, 3),
    RelationshipStatus.VIP: (1, 2, 3, 4, 5),
}
_NOTES = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2)


def happen(customer: Draft, dice: Dice, plan: Plan, rows: Rows) -> None:
    """All of it between the customer's making and his archiving, or now."""
    until = customer.archived_at or plan.until
    _interact(customer, dice, plan, rows, until)
    for number in range(dice.pick(_ORDERS[customer.relationship])):
        _order(customer, dice, plan, rows, number, until)
    for _ in range(dice.pick(_NOTES)):
        _note(customer, dice, plan, rows, until)
    if customer.relationship is not RelationshipStatus.LEAD:
        customer.value = customer.spent + _price(dice, customer.locale)
    elif dice.random() < 0.3:
        customer.value = _price(dice, customer.locale)


def _interact(customer: Draft, dice: Dice, plan: Plan, rows: Rows, until: int) -> None:
    for place in range(dice.pick(_INTERACTIONS[customer.relationship])):
        if customer.relationship is RelationshipStatus.LEAD or place:
            kind = dice.pick(_OTHERS)
        else:
            kind = _PAID if dice.random() < 0.7 else dice.pick(_COUNTING)
        _interaction(customer, dice, plan, rows, kind, until)
    if came_from := _MAILING.get(customer.subscription):
        chance, kind = came_from
        if dice.random() < chance:
            _interaction(customer, dice, plan, rows, kind, until)


def _interaction(customer: Draft, dice: Dice, plan: Plan, rows: Rows, kind: _Kind, until: int) -> None:
    what, direction, outcome = kind
    at = dice.between(customer.at, until)
    mailed, paid = what in _MAILED, what is InteractionKind.PAYMENT
    amount = _price(dice, customer.locale) if paid else None
    if kind is _PAID and amount:
        customer.spent += amount
    elsewhere = dice.random() < 0.1
    identifier = dice.id(at)
    rows.of(tables.Interaction).append(
        (
            rows.workspace_id,
            identifier,
            at,
            customer.id,
            what.value,
            None if direction is None else direction.value,
            "email" if mailed else dice.pick(_CHANNELS.get(what, ("email", "phone", "store"))),
            None if outcome is None else outcome.value,
            None if mailed else dice.pick(_SUBJECTS),
            dice.early(_CAMPAIGNS) if mailed else None,
            amount,
            at,
            None if mailed or paid else customer.owner_id,
            "gateway" if elsewhere else None,
            identifier.hex()[12:] if elsewhere else None,
            False,
        )
    )
    if at > (customer.last_interaction_at or 0):
        customer.last_interaction_at = at


def _order(customer: Draft, dice: Dice, plan: Plan, rows: Rows, number: int, until: int) -> None:
    locale, at = customer.locale, dice.between(customer.at, until)
    price, quantity = _price(dice, locale), 1 + int(dice.random() ** 3 * 4)
    total = price * quantity
    status = dice.pick(_STATUSES)
    if status not in ("cancelled", "returned"):
        customer.spent += total
    lines = [{"name": dice.pick(_PRODUCTS), "quantity": quantity, "price": log_values.amount(price)}]
    rows.of(tables.Order).append(
        (
            rows.workspace_id,
            dice.id(at),
            at,
            customer.id,
            dice.early(locale.shops),
            f"{plan.seed}-{customer.place:07}-{number + 1}",
            status,
            total,
            locale.currency,
            at,
            orjson.dumps(lines),
        )
    )


def _note(customer: Draft, dice: Dice, plan: Plan, rows: Rows, until: int) -> None:
    locale, at = customer.locale, dice.between(customer.at, until)
    happened, about, then = dice.pick(locale.happened), dice.pick(locale.about), dice.pick(locale.next_step)
    body = f"{happened} {about}. {then}"
    folded = f"{key(happened)} {key(about)}. {key(then)}"
    author = customer.owner_id or dice.pick(plan.seats[locale.country]).agent_id
    rows.of(tables.Note).append(
        (
            rows.workspace_id,
            dice.id(at),
            at,
            at,
            1,
            customer.id,
            body,
            folded,
            ActorKind.AGENT.value,
            author,
        )
    )
    customer.notes.append(folded)


def _price(dice: Dice, locale: Locale) -> int:
    """Ten-thousandths: most near what is typical, a few a hundred times that."""
    return max(int(locale.typical * dice.lognormal(0, 1.1) * 10_000) // locale.step, 1) * locale.step
