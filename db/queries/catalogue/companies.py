"""Companies and their external ids."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.paging.nested_pages import ParentTable
from db.statements import any_of, group_rows, in_workspace, prepare

_BY_IDS = prepare(select(tables.Company).where(in_workspace(tables.Company), any_of(tables.Company.id, "ids")))
_BY_DOMAIN = prepare(
    select(tables.Company).where(
        in_workspace(tables.Company), col(tables.Company.domain_key) == bindparam("domain_key")
    )
)
_BY_EXTERNAL_ID = prepare(
    select(tables.Company)
    .join(tables.CompanyExternalId, col(tables.CompanyExternalId.company_id) == tables.Company.id)
    .where(
        in_workspace(tables.Company, tables.CompanyExternalId),
        col(tables.CompanyExternalId.system) == bindparam("system"),
        col(tables.CompanyExternalId.value) == bindparam("value"),
    )
)
_EXTERNAL_IDS = prepare(
    select(tables.CompanyExternalId)
    .where(in_workspace(tables.CompanyExternalId), any_of(tables.CompanyExternalId.company_id, "ids"))
    .order_by(col(tables.CompanyExternalId.system), col(tables.CompanyExternalId.value))
)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Company]:
    return {row.id: row for row in await session.fetch_pruned(_BY_IDS, ids=ids)}


async def by_domain(session: Session, domain_key: str) -> tables.Company | None:
    """The company with that folded domain."""
    return await session.fetch_first(_BY_DOMAIN, domain_key=domain_key)


async def by_external_id(session: Session, system: str, value: str) -> tables.Company | None:
    return await session.fetch_first(_BY_EXTERNAL_ID, system=system, value=value)


async def external_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[tables.CompanyExternalId]]:
    """The external ids of each company, sorted by system."""
    return group_rows(await session.fetch_all(_EXTERNAL_IDS, ids=ids), "company_id")


def _customers(found: Select[Any], row: Any) -> Select[Any]:
    return found.where(row.company_id == tables.Company.id)


COMPANIES_AS_PARENTS = ParentTable(tables.Company, _customers)
"""The customers of each company."""


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_NAMED = prepare(
    select(tables.Company)
    .where(
        in_workspace(tables.Company),
        or_(any_of(tables.Company.id, "ids"), any_of(tables.Company.domain_key, "domain_keys")),
    )
    .with_for_update(read=True, key_share=True)
)
_LOCKED = prepare(
    select(tables.Company)
    .where(in_workspace(tables.Company), any_of(tables.Company.id, "ids"))
    .order_by(col(tables.Company.id))
    .with_for_update(key_share=True)
)
_HOLDERS = prepare(
    select(tables.CompanyExternalId).where(
        in_workspace(tables.CompanyExternalId),
        any_of(tables.CompanyExternalId.system, "systems"),
        any_of(tables.CompanyExternalId.value, "values"),
    )
)
_CUSTOMERS = prepare(
    select(tables.Customer.id)
    .where(in_workspace(tables.Customer), any_of(tables.Customer.company_id, "ids"))
    .order_by(col(tables.Customer.id))
)


async def id_by_name(
    transaction: Transaction, ids: Sequence[bytes], domain_keys: Sequence[str]
) -> list[tables.Company]:
    """The companies with these ids or folded domains, locked until the end of the transaction."""
    return await transaction.fetch_all(_NAMED, ids=ids, domain_keys=domain_keys)


async def lock_by_ids(transaction: Transaction, ids: Sequence[bytes]) -> Mapping[bytes, tables.Company]:
    """Locks the companies until the end of the transaction."""
    return {row.id: row for row in await transaction.fetch_all(_LOCKED, ids=ids)}


async def ids_by_external_id(session: Session, pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
    """The company of each external id (system, value)."""
    systems, values = [system for system, _ in pairs], [value for _, value in pairs]
    rows = await session.fetch_all(_HOLDERS, systems=systems, values=values)
    return {(row.system, row.value): row.company_id for row in rows}


async def customer_ids_of(session: Session, ids: Sequence[bytes]) -> list[bytes]:
    """The ids of the customers of the companies, including archived ones."""
    return [row.id for row in await session.fetch_all(_CUSTOMERS, ids=ids)]
