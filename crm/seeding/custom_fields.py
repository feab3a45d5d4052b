"""Custom fields: one of each type for customers, three for companies."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.tables.enums import CustomFieldType, EntityType

TIERS = ("Bronze", "Silver", "Gold", "Platinum")
INTERESTS = ("Fashion", "Điện tử", "Cucina", "Sport", "Rumah", "Beauty", "Travel")
INDUSTRIES = ("Retail", "Manufacturing", "Services", "Technology", "Food", "Finance")


class SeedField(NamedTuple):
    entity: EntityType
    key: str
    label: str
    type: CustomFieldType
    options: tuple[str, ...] = ()
    unique: bool = False


SEED_FIELDS = (
    SeedField(EntityType.CUSTOMER, "loyalty_number", "Loyalty number", CustomFieldType.TEXT, unique=True),
    SeedField(EntityType.CUSTOMER, "preferences", "Preferences", CustomFieldType.LONG_TEXT),
    SeedField(EntityType.CUSTOMER, "points", "Loyalty points", CustomFieldType.NUMBER),
    SeedField(EntityType.CUSTOMER, "wants_gift", "Wants a birthday gift", CustomFieldType.BOOLEAN),
    SeedField(EntityType.CUSTOMER, "anniversary", "Anniversary", CustomFieldType.DATE),
    SeedField(EntityType.CUSTOMER, "next_visit", "Next visit", CustomFieldType.DATE_TIME),
    SeedField(EntityType.CUSTOMER, "tier", "Tier", CustomFieldType.SELECT, TIERS),
    SeedField(EntityType.CUSTOMER, "interests", "Interests", CustomFieldType.MULTI_SELECT, INTERESTS),
    SeedField(EntityType.CUSTOMER, "billing_email", "Billing e-mail", CustomFieldType.EMAIL),
    SeedField(EntityType.CUSTOMER, "work_phone", "Phone at work", CustomFieldType.PHONE),
    SeedField(EntityType.CUSTOMER, "profile", "Profile", CustomFieldType.URL),
    SeedField(EntityType.COMPANY, "tax_number", "Tax number", CustomFieldType.TEXT, unique=True),
    SeedField(EntityType.COMPANY, "employees", "Employees", CustomFieldType.NUMBER),
    SeedField(EntityType.COMPANY, "industry", "Industry", CustomFieldType.SELECT, INDUSTRIES),
)


def plan_custom_fields(
    rows: ChunkRows, source: RandomSource, created_at: int, *, existing: Iterable[tables.CustomField]
) -> tuple[list[tables.CustomField], Mapping[EntityType, Mapping[str, bytes]]]:
    """Returns the fields to insert, and the ids of all by entity and key.

    An existing field with the key is used if its type matches and it is active; otherwise it gets no values."""
    existing_by_key = {(row.entity, row.key): row for row in existing}
    added: list[tables.CustomField] = []
    ids_by_entity: dict[EntityType, dict[str, bytes]] = {EntityType.CUSTOMER: {}, EntityType.COMPANY: {}}
    for position, field in enumerate(SEED_FIELDS):
        identifier = source.record_id(created_at)
        row = existing_by_key.get((field.entity.value, field.key))
        if row is None:
            row = _row(rows.workspace_id, identifier, created_at, field, position)
            added.append(row)
            rows.log_created("CustomField", identifier, created_at, _logged_fields(field, position))
        if (row.type, row.active) == (field.type.value, True):
            ids_by_entity[field.entity][field.key] = row.id
    return added, ids_by_entity


def _row(workspace_id: int, identifier: bytes, created_at: int, field: SeedField, position: int) -> tables.CustomField:
    return tables.CustomField(
        workspace_id=workspace_id,
        id=identifier,
        created_at=created_at,
        entity=field.entity.value,
        key=field.key,
        label=field.label,
        type=field.type.value,
        options=list(field.options),
        unique=field.unique,
        position=position,
    )


def _logged_fields(field: SeedField, position: int) -> tuple[tuple[str, object], ...]:
    return (
        ("entity", field.entity.name),
        ("key", field.key),
        ("label", field.label),
        ("type", field.type.name),
        ("options", list(field.options)),
        ("required", False),
        ("unique", field.unique),
        ("active", True),
        ("position", position),
    )
