"""The columns that files of customers have: built-in fields, ids in other systems, custom fields."""

from dataclasses import dataclass
from typing import Any, Final

from crm.catalogue import fields as catalogue
from db.engine import Session
from db.queries.catalogue import custom_fields
from db.tables.enums import EntityType

EXTERNAL: Final = "externalId."
CUSTOM: Final = "custom."


@dataclass(frozen=True, slots=True)
class Column:
    """A field as a column; `custom` is the row of a custom field."""

    key: str
    label: str
    exportable: bool
    importable: bool
    custom: Any = None

    @property
    def system(self) -> str | None:
        """Whose ids they are."""
        return self.key.removeprefix(EXTERNAL) if self.key.startswith(EXTERNAL) else None


async def of_customers(session: Session) -> dict[str, Column]:
    """All there are, in the order in which they are listed, under their keys."""
    builtin = [*catalogue.CUSTOMER]
    builtin += [
        catalogue.external_id(system, EntityType.CUSTOMER)
        for system in await custom_fields.systems(session, EntityType.CUSTOMER)
    ]
    custom = (await custom_fields.by_entities(session, [EntityType.CUSTOMER]))[EntityType.CUSTOMER]
    found = [Column(one.key, one.label, one.exportable, one.importable) for one in builtin]
    found += [Column(f"{CUSTOM}{one.key}", one.label, True, True, one) for one in custom if one.active]
    return {one.key: one for one in found}


def named(known: dict[str, Column], key: str) -> Column | None:
    """The column of that key; any other system's ids are one, whether customers have such ids yet or not."""
    found = known.get(key)
    if found is None and key.startswith(EXTERNAL) and key.removeprefix(EXTERNAL).strip():
        one = catalogue.external_id(key.removeprefix(EXTERNAL), EntityType.CUSTOMER)
        return Column(one.key, one.label, one.exportable, one.importable)
    return found
