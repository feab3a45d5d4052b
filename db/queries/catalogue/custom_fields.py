"""Custom fields and their values."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.statements import PreparedStatement, any_of, group_rows, in_workspace, prepare
from db.tables.enums import EntityType

_BY_ENTITY = prepare(
    select(tables.CustomField)
    .where(in_workspace(tables.CustomField), col(tables.CustomField.entity) == bindparam("entity"))
    .order_by(col(tables.CustomField.position), col(tables.CustomField.id))
)
_BY_IDS = prepare(
    select(tables.CustomField).where(in_workspace(tables.CustomField), any_of(tables.CustomField.id, "ids"))
)
_VALUES: dict[EntityType, tuple[Any, Any]] = {
    EntityType.CUSTOMER: (tables.CustomerValue, tables.CustomerValue.customer_id),
    EntityType.COMPANY: (tables.CompanyValue, tables.CompanyValue.company_id),
}


async def by_entities(session: Session, entities: Sequence[EntityType]) -> Mapping[Any, list[tables.CustomField]]:
    """The fields of each entity in order, including disabled ones."""
    return {entity: await session.fetch_all(_BY_ENTITY, entity=entity.value) for entity in entities}


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.CustomField]:
    return {row.id: row for row in await session.fetch_all(_BY_IDS, ids=ids)}


async def values(session: Session, ids: Sequence[bytes], entity: EntityType) -> Mapping[bytes, list[Any]]:
    """The values of each record: one row each, several for a MULTI_SELECT field."""
    return group_rows(await session.fetch_all(_values(entity), ids=ids), "record_id")


@cache
def _values(entity: EntityType) -> PreparedStatement[Any]:
    table, key = _VALUES[entity]
    return prepare(
        select(key.label("record_id"), table)
        .where(in_workspace(table), any_of(key, "ids"))
        .order_by(table.field_id, table.position)
    )


async def external_systems(session: Session, entity: EntityType) -> list[str]:
    """The external systems of an entity's records, in order. Jumps from one to the next in the index."""
    return [row.system for row in await session.fetch_all(_systems(entity))]


@cache
def _systems(entity: EntityType) -> PreparedStatement[Any]:
    table: Any = tables.CustomerExternalId if entity is EntityType.CUSTOMER else tables.CompanyExternalId
    other: Any = aliased(table)
    steps = select(func.min(table.system).label("system")).where(in_workspace(table)).cte("steps", recursive=True)
    following = (
        select(func.min(other.system)).where(in_workspace(other), other.system > steps.c.system).scalar_subquery()
    )
    steps = steps.union_all(select(following.label("system")).where(steps.c.system.is_not(None)))
    return prepare(select(steps.c.system).where(steps.c.system.is_not(None)))


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def unique_holders(
    session: Session, entity: EntityType, pairs: Sequence[tuple[bytes, str]]
) -> Mapping[tuple[bytes, str], bytes]:
    """The record of each unique value, given as (field id, unique key)."""
    field_ids, keys = [field_id for field_id, _ in pairs], [key for _, key in pairs]
    rows = await session.fetch_all(_unique_holders(entity), field_ids=field_ids, unique_keys=keys)
    return {(row.field_id, row.unique_key): row.record_id for row in rows}


@cache
def _unique_holders(entity: EntityType) -> PreparedStatement[Any]:
    table, key = _VALUES[entity]
    return prepare(
        select(key.label("record_id"), table.field_id, table.unique_key).where(
            in_workspace(table), any_of(table.field_id, "field_ids"), any_of(table.unique_key, "unique_keys")
        )
    )


_LOCKED = prepare(
    select(tables.CustomField)
    .where(in_workspace(tables.CustomField), col(tables.CustomField.id) == bindparam("field_id"))
    .with_for_update()
)


async def lock_by_ids(transaction: Transaction, field_id: bytes) -> Any:
    """Locks the field until the end of the transaction, so that nobody writes new values."""
    return await transaction.fetch_first(_LOCKED, field_id=field_id)


async def ids_with_value(session: Session, entity: EntityType, field_id: bytes) -> list[bytes]:
    """The records with a value of the field."""
    return [row.record_id for row in await session.fetch_all(_field_holders(entity), field_id=field_id)]


async def used_options(session: Session, entity: EntityType, field_id: bytes, options: Sequence[str]) -> list[str]:
    """The options that at least one record uses."""
    rows = await session.fetch_all(_options_used(entity), field_id=field_id, options=options)
    held = {row.option for row in rows}
    return [one for one in options if one in held]


@cache
def _field_holders(entity: EntityType) -> PreparedStatement[Any]:
    table, key = _VALUES[entity]
    return prepare(
        select(key.label("record_id"))
        .where(in_workspace(table), table.field_id == bindparam("field_id"))
        .distinct()
        .order_by(key)
    )


@cache
def _options_used(entity: EntityType) -> PreparedStatement[Any]:
    table, _ = _VALUES[entity]
    return prepare(
        select(table.option)
        .where(in_workspace(table), table.field_id == bindparam("field_id"), any_of(table.option, "options"))
        .distinct()
    )
