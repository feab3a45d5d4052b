"""Custom fields: one of each type for customers, three for companies."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from crm.seeding.dice import Dice
from crm.seeding.rows import Rows
from db import tables
from db.tables.enums import CustomFieldType, EntityType

TIERS = ("Bronze", "Silver", "Gold", "Platinum")
INTERESTS = ("Fashion", "Điện tử", "Cucina", "Sport", "Rumah", "Beauty", "Travel")
INDUSTRIES = ("Retail", "Manufacturing", "Services", "Technology", "Food", "Finance")


class Field(NamedTuple):
    entity: EntityType
    key: str
    label: str
    type: CustomFieldType
    options: tuple[str, ...] = ()
    unique: bool = False


FIELDS = (
    Field(EntityType.CUSTOMER, "loyalty_number", "Loyalty number", CustomFieldType.TEXT, unique=True),
    Field(EntityType.CUSTOMER, "preferences", "Preferences", CustomFieldType.LONG_TEXT),
    Field(EntityType.CUSTOMER, "points", "Loyalty points", CustomFieldType.NUMBER),
    Field(EntityType.CUSTOMER, "wants_gift", "Wants a birthday gift", CustomFieldType.BOOLEAN),
    Field(EntityType.CUSTOMER, "anniversary", "Anniversary", CustomFieldType.DATE),
    Field(EntityType.CUSTOMER, "next_visit", "Next visit", CustomFieldType.DATE_TIME),
    Field(EntityType.CUSTOMER, "tier", "Tier", CustomFieldType.SELECT, TIERS),
    Field(EntityType.CUSTOMER, "interests", "Interests", CustomFieldType.MULTI_SELECT, INTERESTS),
    Field(EntityType.CUSTOMER, "billing_email", "Billing e-mail", CustomFieldType.EMAIL),
    Field(EntityType.CUSTOMER, "work_phone", "Phone at work", CustomFieldType.PHONE),
    Field(EntityType.CUSTOMER, "profile", "Profile", CustomFieldType.URL),
    Field(EntityType.COMPANY, "tax_number", "Tax number", CustomFieldType.TEXT, unique=True),
    Field(EntityType.COMPANY, "employees", "Employees", CustomFieldType.NUMBER),
    Field(EntityType.COMPANY, "industry", "Industry", CustomFieldType.SELECT, INDUSTRIES),
)


def fields(
    rows: Rows, dice: Dice, moment: int, *, there: Mapping[tuple[int, str], tuple[bytes, int, bool]]
) -> Mapping[EntityType, Mapping[str, bytes]]:
    """Adds those that are not `there` by entity and key; one that is there is used where it is of that type and active.

    Returns the ids by key for each entity.
    """
    found: dict[EntityType, dict[str, bytes]] = {EntityType.CUSTOMER: {}, EntityType.COMPANY: {}}
    for position, field in enumerate(FIELDS):
        identifier = dice.id(moment)
        known = there.get((field.entity.value, field.key))
        if known is None:
            found[field.entity][field.key] = identifier
            _add(rows, identifier, moment, field, position)
        elif known[1:] == (field.type.value, True):
            found[field.entity][field.key] = known[0]
    return found


def _add(rows: Rows, identifier: bytes, moment: int, field: Field, position: int) -> None:
    rows.of(tables.CustomField).append(
        (
            rows.workspace_id,
            identifier,
            moment,
            field.entity.value,
            field.key,
            field.label,
            field.type.value,
            False,
            field.unique,
            True,
            position,
            orjson.dumps(field.options),
        )
    )
    told = (
        ("entity", field.entity.name),
        ("key", field.key),
        ("label", field.label),
        ("type", field.type.name),
        ("options", list(field.options)),
        ("unique", field.unique),
        ("active", True),
        ("position", position),
    )
    rows.made("CustomField", identifier, moment, told)
