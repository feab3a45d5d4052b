"""The columns that files of customers have: built-in fields, ids in other systems, custom fields."""

from dataclasses import dataclass
from typing import Any, Final

from crm.catalogue import fields as catalogue
from db.engine import Session
from db.queries.catalogue import custom_fields
from db.tables.enums import EntityType

EXTERNAL_ID_PREFIX: Final = "externalId."
CUSTOM_FIELD_PREFIX: Final = "custom."


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A field as a column; `custom` is the row of a custom field."""

    key: str
    label: str
    exportable: bool
    importable: bool
    custom: Any = None

    @property
    def system(self) -> str | None:
        """Whose ids they are."""
        return self.key.removeprefix(EXTERNAL_ID_PREFIX) if self.key.startswith(EXTERNAL_ID_PREFIX) else None


async def customer_columns(session: Session) -> dict[str, FileColumn]:
    """All there are, in the order in which they are listed, under their keys."""
    builtin = [*catalogue.CUSTOMER_FIELDS]
    builtin += [
        catalogue.external_id_field(system, EntityType.CUSTOMER)
        for system in await custom_fields.external_systems(session, EntityType.CUSTOMER)
    ]
    custom = (await custom_fields.by_entities(session, [EntityType.CUSTOMER]))[EntityType.CUSTOMER]
    found = [FileColumn(one.key, one.label, one.exportable, one.importable) for one in builtin]
    found += [FileColumn(f"{CUSTOM_FIELD_PREFIX}{one.key}", one.label, True, True, one) for one in custom if one.active]
    return {one.key: one for one in found}


def find_column(known: dict[str, FileColumn], key: str) -> FileColumn | None:
    """The column of that key; any other system's ids are one, whether customers have such ids yet or not."""
    found = known.get(key)
    if found is None and key.startswith(EXTERNAL_ID_PREFIX) and key.removeprefix(EXTERNAL_ID_PREFIX).strip():
        one = catalogue.external_id_field(key.removeprefix(EXTERNAL_ID_PREFIX), EntityType.CUSTOMER)
        return FileColumn(one.key, one.label, one.exportable, one.importable)
    return found
