"""Custom fields and their values."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.reading import Prepared, among, grouped, here, prepared
from db.tables.enums import EntityType

_BY_ENTITY = prepared(
    select(tables.CustomField)
    .where(here(tables.CustomField), col(tables.CustomField.entity) == bindparam("entity"))
    .order_by(col(tables.CustomField.position), col(tables.CustomField.id))
)
_BY_IDS = prepared(select(tables.CustomField).where(here(tables.CustomField), among(tables.CustomField.id, "ids")))
_VALUES: dict[EntityType, tuple[Any, Any]] = {
    EntityType.CUSTOMER: (tables.CustomerValue, tables.CustomerValue.customer_id),
    EntityType.COMPANY: (tables.CompanyValue, tables.CompanyValue.company_id),
}


async def by_entities(session: Session, entities: Sequence[EntityType]) -> Mapping[Any, list[tables.CustomField]]:
    """The fields of each entity in order, those that are switched off as well."""
    return {entity: await session.rows(_BY_ENTITY, entity=entity.value) for entity in entities}


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.CustomField]:
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}


async def values(session: Session, ids: Sequence[bytes], entity: EntityType) -> Mapping[bytes, list[Any]]:
    """The values of each record: a row each, several for a field of many options."""
    return grouped(await session.rows(_values(entity), ids=ids), "record_id")


@cache
def _values(entity: EntityType) -> Prepared[Any]:
    table, key = _VALUES[entity]
    return prepared(
        select(key.label("record_id"), table)
        .where(here(table), among(key, "ids"))
        .order_by(table.field_id, table.position)
    )
