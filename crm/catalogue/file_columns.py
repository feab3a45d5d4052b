"""The columns of customer files: built-in fields, external ids and custom fields."""

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
    """A field as a column. `custom` is the row of a custom field."""

    key: str
    label: str
    exportable: bool
    importable: bool
    custom: Any = None

    @property
    def system(self) -> str | None:
        """The external system of an external id column; None for other columns."""
        return self.key.removeprefix(EXTERNAL_ID_PREFIX) if self.key.startswith(EXTERNAL_ID_PREFIX) else None


async def customer_columns(session: Session) -> dict[str, FileColumn]:
    """All columns by key, in list order."""
    builtin = [*catalogue.CUSTOMER_FIELDS]
    builtin += [
        catalogue.external_id_field(system, EntityType.CUSTOMER)
        for system in await custom_fields.external_systems(session, EntityType.CUSTOMER)
    ]
    custom = (await custom_fields.by_entities(session, [EntityType.CUSTOMER]))[EntityType.CUSTOMER]
    columns = [
        FileColumn(column_field.key, column_field.label, column_field.exportable, column_field.importable)
        for column_field in builtin
    ]
    columns += [
        FileColumn(f"{CUSTOM_FIELD_PREFIX}{column_field.key}", column_field.label, True, True, column_field)
        for column_field in custom
        if column_field.active
    ]
    return {column_field.key: column_field for column_field in columns}


def find_column(known_columns: dict[str, FileColumn], key: str) -> FileColumn | None:
    """The column with that key. Any external system is valid, even if no customer has an id of it yet."""
    column = known_columns.get(key)
    if column is None and key.startswith(EXTERNAL_ID_PREFIX) and key.removeprefix(EXTERNAL_ID_PREFIX).strip():
        external_id = catalogue.external_id_field(key.removeprefix(EXTERNAL_ID_PREFIX), EntityType.CUSTOMER)
        return FileColumn(external_id.key, external_id.label, external_id.exportable, external_id.importable)
    return column
