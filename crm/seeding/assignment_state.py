"""The state of a customer: statuses, owner and tags, without contradictions."""

from crm.seeding.customer_draft import CustomerDraft
from crm.seeding.plan import SeedPlan, SeedTag
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.tables.enums import (
    ActorKind,
    CustomerStage,
    RelationshipStatus,
    SubscriptionStatus,
    Verification,
)
from db.values.time_units import MS_PER_DAY

_SOURCES = ("Facebook", "Website", "Shopee", "Store", "Referral", "Zalo", "Instagram", "TikTok", "Trade fair", "Import")
_CHANNELS = ("Zalo", "Phone", "WhatsApp", "E-mail", "Messenger", "Store", "WeChat", "Live chat")
_BLOCK_REASONS = ("Spam", "Abusive messages", "Lừa đảo", "Pagamenti stornati", "Nomor palsu")
# Number of tags, three on average.
_TAG_COUNTS = (0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8)


def assign_state(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> None:
    if source.random() < 0.85:
        customer.source = source.pick_early(plan.sources or _SOURCES)
    if source.random() < 0.7:
        customer.channel = source.pick_early(_CHANNELS)
    _set_relationship(customer, source)
    _set_subscription(customer, source)
    _set_stage(customer, source, plan)
    if source.random() < 0.03:
        earliest = max(customer.created_at, customer.owned_since or 0, customer.released_at or 0)
        customer.archived_at = source.integer_between(earliest, plan.until)
    if source.random() < 0.03:
        # Without a reseller relationship the customer cannot have tags.
        customer.reseller = False
    else:
        customer.tags = _pick_tags(source, plan.tags)


def _set_relationship(customer: CustomerDraft, source: RandomSource) -> None:
    chance = source.random()
    if chance < 0.43:
        customer.relationship = RelationshipStatus.CUSTOMER
    elif chance < 0.46:
        customer.relationship = RelationshipStatus.VIP


def _set_subscription(customer: CustomerDraft, source: RandomSource) -> None:
    chance = source.random()
    if not customer.emails:
        return
    if chance < 0.55:
        customer.subscription = SubscriptionStatus.SUBSCRIBED
    elif chance < 0.67:
        customer.subscription = SubscriptionStatus.UNSUBSCRIBED
    elif chance < 0.72:
        customer.subscription = SubscriptionStatus.DELETED


def _set_stage(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> None:
    """Sets stage and owner. Exactly the customers in FOLLOW_UP have an owner; those in the pool had one before."""
    chance, country = source.random(), customer.locale.country
    if customer.relationship is RelationshipStatus.VIP or chance < 0.56:
        _set_owner(customer, source, plan)
    elif chance < 0.64:
        customer.stage = CustomerStage.NEW
        customer.verification = Verification.INVALID if source.random() < 0.15 else Verification.UNVERIFIED
        return
    elif chance < 0.8:
        customer.stage = CustomerStage.TO_BE_ASSIGNED
        if source.random() < 0.6:
            customer.department_id = source.pick(plan.departments[country])
    else:
        customer.stage = CustomerStage.POOL
        customer.previous_owner_id = source.pick_early(plan.agents[country]).agent_id
        customer.released_at = source.integer_between(customer.created_at, plan.until)
    customer.verification = Verification.VALID if source.random() < 0.7 else Verification.UNVERIFIED


def _set_owner(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> None:
    agents = plan.agents[customer.locale.country]
    agent = source.pick_early(agents)
    customer.stage = CustomerStage.FOLLOW_UP
    customer.owner_id, customer.department_id = agent.agent_id, agent.department_id
    customer.owned_since = source.integer_between(
        customer.created_at, min(customer.created_at + 45 * MS_PER_DAY, plan.until)
    )
    if plan.follow_up_stages and source.random() < 0.75:
        customer.follow_up_stage = source.pick_early(plan.follow_up_stages)
    if source.random() < 0.12:
        previous_owner = source.pick(agents).agent_id
        customer.previous_owner_id = previous_owner if previous_owner != agent.agent_id else None


def _pick_tags(source: RandomSource, tags: tuple[SeedTag, ...]) -> list[SeedTag]:
    """Distinct tags in the order of the catalogue."""
    count = source.pick(_TAG_COUNTS)
    if not count:
        return []
    size = len(tags)
    indexes: set[int] = set()
    while len(indexes) < count:
        indexes.add(int(source.random() ** 2 * size))
    return [tags[index] for index in sorted(indexes)]


def add_related_rows(customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows) -> None:
    """Adds what few customers have: external ids, WeChat friends, a block."""
    if source.random() < 0.22:
        _add_external_ids(customer, source, plan, rows)
    if source.random() < 0.08:
        _add_friends(customer, source, plan, rows)
    if source.random() < 0.006:
        blocked_at = source.integer_between(customer.created_at, plan.until)
        until = blocked_at + source.integer_between(7, 400) * MS_PER_DAY if source.chance(0.5) else None
        blocked_by = customer.owner_id or source.pick(plan.agents[customer.locale.country]).agent_id
        rows.rows_of(tables.CustomerBlock).append(
            (
                rows.workspace_id,
                customer.id,
                source.pick(_BLOCK_REASONS),
                until,
                ActorKind.AGENT.value,
                blocked_by,
                blocked_at,
            )
        )


def _add_external_ids(customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows) -> None:
    number = f"{plan.seed}-{customer.number:07}"
    customer.external_ids.append((source.pick(customer.locale.shops), number))
    if source.random() < 0.15:
        customer.external_ids.append(("sap", f"K{number}"))
    for system, value in customer.external_ids:
        rows.rows_of(tables.CustomerExternalId).append((rows.workspace_id, system, value, customer.id))


def _add_friends(customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows) -> None:
    agents = plan.agents[customer.locale.country]
    friends = {customer.owner_id or source.pick(agents).agent_id: None}
    if source.random() < 0.2:
        friends[source.pick(agents).agent_id] = None
    customer.friends = list(friends)
    for agent in friends:
        rows.rows_of(tables.WechatFriend).append((rows.workspace_id, customer.id, agent))
