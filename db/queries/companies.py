"""Companies and their ids in other systems."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, func
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.paging import Page, Window, newest_first
from db.reading import among, grouped, here, prepared

_BY_IDS = prepared(select(tables.Company).where(here(tables.Company), among(tables.Company.id, "ids")))
_COUNT = prepared(select(func.count().label("count")).select_from(tables.Company).where(here(tables.Company)))
_BY_DOMAIN = prepared(
    select(tables.Company).where(here(tables.Company), col(tables.Company.domain_key) == bindparam("domain_key"))
)
_BY_EXTERNAL_ID = prepared(
    select(tables.Company)
    .join(tables.CompanyExternalId, col(tables.CompanyExternalId.company_id) == tables.Company.id)
    .where(
        here(tables.Company, tables.CompanyExternalId),
        col(tables.CompanyExternalId.system) == bindparam("system"),
        col(tables.CompanyExternalId.value) == bindparam("value"),
    )
)
_EXTERNAL_IDS = prepared(
    select(tables.CompanyExternalId)
    .where(here(tables.CompanyExternalId), among(tables.CompanyExternalId.company_id, "ids"))
    .order_by(col(tables.CompanyExternalId.system), col(tables.CompanyExternalId.value))
)


def _all() -> Select[Any]:
    return select(tables.Company).where(here(tables.Company))


async def page(session: Session, window: Window) -> Page:
    return await newest_first(session, _all, window)


async def count(session: Session) -> int:
    found: int = (await session.rows(_COUNT))[0].count
    return found


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Company]:
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}


async def by_domain(session: Session, domain_key: str) -> tables.Company | None:
    """The company with that folded domain."""
    return await session.first(_BY_DOMAIN, domain_key=domain_key)


async def by_external_id(session: Session, system: str, value: str) -> tables.Company | None:
    return await session.first(_BY_EXTERNAL_ID, system=system, value=value)


async def external_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CompanyExternalId]]:
    """Each company's ids in other systems, by system."""
    return grouped(await session.rows(_EXTERNAL_IDS, ids=ids), "company_id")
