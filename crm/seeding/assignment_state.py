"""Where a customer stands: statuses, owner, tags; one customer's never contradict each other."""

from crm.seeding.customer_draft import Draft
from crm.seeding.plan import Label, Plan
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables
from db.tables.enums import (
    ActorKind,
    CustomerStage,
    RelationshipStatus,
    SubscriptionStatus,
    Verification,
)

_DAY = 86_400_000
_SOURCES = ("Facebook", "Website", "Shopee", "Store", "Referral", "Zalo", "Instagram", "TikTok", "Trade fair", "Import")
_CHANNELS = ("Zalo", "Phone", "WhatsApp", "E-mail", "Messenger", "Store", "WeChat", "Live chat")
_REASONS = ("Spam", "Abusive messages", "Lừa đảo", "Pagamenti stornati", "Nomor palsu")
# How many tags, three on average.
_TAG_COUNTS = (0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8)


def place(customer: Draft, dice: Dice, plan: Plan) -> None:
    if dice.random() < 0.85:
        customer.source = dice.early(plan.sources or _SOURCES)
    if dice.random() < 0.7:
        customer.channel = dice.early(_CHANNELS)
    _related(customer, dice)
    _subscribed(customer, dice)
    _staged(customer, dice, plan)
    if dice.random() < 0.03:
        customer.archived_at = dice.between(max(customer.at, customer.owned_since or 0, customer.released_at or 0),
                                            plan.until)  # fmt: skip
    if dice.random() < 0.03:
        # Without a reseller relationship nobody may tag the customer.
        customer.reseller = False
    else:
        customer.tags = _tagged(dice, plan.tags)


def _related(customer: Draft, dice: Dice) -> None:
    chance = dice.random()
    if chance < 0.43:
        customer.relationship = RelationshipStatus.CUSTOMER
    elif chance < 0.46:
        customer.relationship = RelationshipStatus.VIP


def _subscribed(customer: Draft, dice: Dice) -> None:
    chance = dice.random()
    if not customer.emails:
        return
    if chance < 0.55:
        customer.subscription = SubscriptionStatus.SUBSCRIBED
    elif chance < 0.67:
        customer.subscription = SubscriptionStatus.UNSUBSCRIBED
    elif chance < 0.72:
        customer.subscription = SubscriptionStatus.DELETED


def _staged(customer: Draft, dice: Dice, plan: Plan) -> None:
    """An owner exactly in FOLLOW_UP; whoever was in the pool had one before."""
    chance, country = dice.random(), customer.locale.country
    if customer.relationship is RelationshipStatus.VIP or chance < 0.56:
        _followed(customer, dice, plan)
    elif chance < 0.64:
        customer.stage = CustomerStage.NEW
        customer.verification = Verification.INVALID if dice.random() < 0.15 else Verification.UNVERIFIED
        return
    elif chance < 0.8:
        customer.stage = CustomerStage.TO_BE_ASSIGNED
        if dice.random() < 0.6:
            customer.department_id = dice.pick(plan.departments[country])
    else:
        customer.stage = CustomerStage.POOL
        customer.previous_owner_id = dice.early(plan.seats[country]).agent_id
        customer.released_at = dice.between(customer.at, plan.until)
    customer.verification = Verification.VALID if dice.random() < 0.7 else Verification.UNVERIFIED


def _followed(customer: Draft, dice: Dice, plan: Plan) -> None:
    seats = plan.seats[customer.locale.country]
    seat = dice.early(seats)
    customer.stage = CustomerStage.FOLLOW_UP
    customer.owner_id, customer.department_id = seat.agent_id, seat.department_id
    customer.owned_since = dice.between(customer.at, min(customer.at + 45 * _DAY, plan.until))
    if plan.follow_up_stages and dice.random() < 0.75:
        customer.follow_up_stage = dice.early(plan.follow_up_stages)
    if dice.random() < 0.12:
        before = dice.pick(seats).agent_id
        customer.previous_owner_id = before if before != seat.agent_id else None


def _tagged(dice: Dice, tags: tuple[Label, ...]) -> list[Label]:
    """Different ones, in the order of the catalogue."""
    count = dice.pick(_TAG_COUNTS)
    if not count:
        return []
    size = len(tags)
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(int(dice.random() ** 2 * size))
    return [tags[one] for one in sorted(chosen)]


def surround(customer: Draft, dice: Dice, plan: Plan, rows: Rows) -> None:
    """What a few have: external ids, friends on WeChat, a block."""
    if dice.random() < 0.22:
        _known_elsewhere(customer, dice, plan, rows)
    if dice.random() < 0.08:
        _befriended(customer, dice, plan, rows)
    if dice.random() < 0.006:
        at = dice.between(customer.at, plan.until)
        until = at + dice.between(7, 400) * _DAY if dice.chance(0.5) else None
        by = customer.owner_id or dice.pick(plan.seats[customer.locale.country]).agent_id
        rows.of(tables.CustomerBlock).append(
            (rows.workspace_id, customer.id, dice.pick(_REASONS), until, ActorKind.AGENT.value, by, at)
        )


def _known_elsewhere(customer: Draft, dice: Dice, plan: Plan, rows: Rows) -> None:
    number = f"{plan.seed}-{customer.place:07}"
    customer.external_ids.append((dice.pick(customer.locale.shops), number))
    if dice.random() < 0.15:
        customer.external_ids.append(("sap", f"K{number}"))
    for system, value in customer.external_ids:
        rows.of(tables.CustomerExternalId).append((rows.workspace_id, system, value, customer.id))


def _befriended(customer: Draft, dice: Dice, plan: Plan, rows: Rows) -> None:
    seats = plan.seats[customer.locale.country]
    friends = {customer.owner_id or dice.pick(seats).agent_id: None}
    if dice.random() < 0.2:
        friends[dice.pick(seats).agent_id] = None
    customer.friends = list(friends)
    for agent in friends:
        rows.of(tables.WechatFriend).append((rows.workspace_id, customer.id, agent))
