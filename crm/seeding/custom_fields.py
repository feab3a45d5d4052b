"""Custom fields: one of each type for customers, three for companies."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crm.seeding.random_source import Dice
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
    rows: Rows, dice: Dice, moment: int, *, there: Iterable[tables.CustomField]
) -> tuple[list[tables.CustomField], Mapping[EntityType, Mapping[str, bytes]]]:
    """Those to be added, and the ids of all by key for each entity.

    One that is there already under the key is used where it is of the type and active, else it gets no values.
    """
    known = {(row.entity, row.key): row for row in there}
    added: list[tables.CustomField] = []
    found: dict[EntityType, dict[str, bytes]] = {EntityType.CUSTOMER: {}, EntityType.COMPANY: {}}
    for position, field in enumerate(FIELDS):
        identifier = dice.id(moment)
        row = known.get((field.entity.value, field.key))
        if row is None:
            row = _row(rows.workspace_id, identifier, moment, field, position)
            added.append(row)
            rows.made("CustomField", identifier, moment, _told(field, position))
        if (row.type, row.active) == (field.type.value, True):
            found[field.entity][field.key] = row.id
    return added, found


def _row(workspace_id: int, identifier: bytes, moment: int, field: Field, position: int) -> tables.CustomField:
    return tables.CustomField(
        workspace_id=workspace_id,
        id=identifier,
        created_at=moment,
        entity=field.entity.value,
        key=field.key,
        label=field.label,
        type=field.type.value,
        options=list(field.options),
        unique=field.unique,
        position=position,
    )


def _told(field: Field, position: int) -> tuple[tuple[str, object], ...]:
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
