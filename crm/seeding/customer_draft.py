"""A generated customer: each step adds its part, and the last one writes the rows."""

from dataclasses import dataclass, field
from typing import Any

from crm.seeding.locales.locale import City, Locale
from crm.seeding.plan import SeedCompany, SeedTag
from db.tables.enums import CustomerStage, Gender, RelationshipStatus, SubscriptionStatus, Verification


@dataclass(slots=True)
class CustomerDraft:
    """`logged_fields` are the optional fields in log form; `searched_values` are folded."""

    id: bytes
    created_at: int
    number: int
    locale: Locale
    name: str = ""
    name_key: str = ""
    nickname: str | None = None
    nickname_key: str | None = None
    real_name: str | None = None
    real_name_key: str | None = None
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    gender: Gender | None = None
    birth_date: str | None = None
    company: SeedCompany | None = None
    line1: str | None = None
    line1_key: str | None = None
    line2: str | None = None
    city: City | None = None
    source: str | None = None
    channel: str | None = None
    relationship: RelationshipStatus = RelationshipStatus.LEAD
    subscription: SubscriptionStatus = SubscriptionStatus.NOT_SUBSCRIBED
    stage: CustomerStage = CustomerStage.TO_BE_ASSIGNED
    verification: Verification = Verification.UNVERIFIED
    follow_up_stage: str | None = None
    owner_id: bytes | None = None
    owned_since: int | None = None
    previous_owner_id: bytes | None = None
    released_at: int | None = None
    department_id: bytes | None = None
    archived_at: int | None = None
    reseller: bool = True
    tags: list[SeedTag] = field(default_factory=list)
    friends: list[bytes] = field(default_factory=list)
    external_ids: list[tuple[str, str]] = field(default_factory=list)
    value: int = 0
    spent: int = 0
    last_interaction_at: int | None = None
    notes: list[str] = field(default_factory=list)
    searched_values: list[str] = field(default_factory=list)
    logged_fields: list[tuple[str, Any]] = field(default_factory=list)
