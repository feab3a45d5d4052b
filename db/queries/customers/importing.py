"""Whom the rows of a file mean: customers by what they are known by, companies by their names."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.statements import Prepared, among, grouped, here, prepared
from db.visibility import Sight, seen

_CUSTOMER = tables.Customer


def _holding(table: Any, key: Any, *conditions: Any) -> Mapping[bool, Prepared[Any]]:
    return {
        everything: prepared(
            select(key.label("key"), col(_CUSTOMER.id).label("id"), col(_CUSTOMER.company_id).label("company_id"))
            .select_from(table)
            .join(_CUSTOMER, col(_CUSTOMER.id) == table.customer_id)
            .where(here(table, _CUSTOMER), among(key, "keys"), *conditions, seen(everything))
            .order_by(col(_CUSTOMER.id))
        )
        for everything in (True, False)
    }


_EMAIL, _PHONE, _EXTERNAL = tables.CustomerEmail, tables.CustomerPhone, tables.CustomerExternalId
_BY_EMAIL: Final = _holding(_EMAIL, col(_EMAIL.email_key))
_BY_PHONE: Final = _holding(_PHONE, col(_PHONE.phone))
_BY_EXTERNAL_ID: Final = _holding(_EXTERNAL, col(_EXTERNAL.value), col(_EXTERNAL.system) == bindparam("system"))
_COMPANIES = prepared(
    select(tables.Company)
    .where(here(tables.Company), among(tables.Company.name_key, "name_keys"))
    .order_by(col(tables.Company.id))
)


async def by_email(session: Session, keys: Sequence[str], sight: Sight) -> Mapping[str, list[Any]]:
    """Those in sight who have each folded address, primary or not: `id`, `company_id`."""
    return grouped(await session.rows(_BY_EMAIL[sight.everything], keys=keys, **sight.values()), "key")


async def by_phone(session: Session, keys: Sequence[str], sight: Sight) -> Mapping[str, list[Any]]:
    """Those in sight who have each number, primary or not."""
    return grouped(await session.rows(_BY_PHONE[sight.everything], keys=keys, **sight.values()), "key")


async def by_external_id(session: Session, system: str, keys: Sequence[str], sight: Sight) -> Mapping[str, list[Any]]:
    """Who in sight has each id in that system."""
    rows = await session.rows(_BY_EXTERNAL_ID[sight.everything], keys=keys, system=system, **sight.values())
    return grouped(rows, "key")


async def companies(session: Session, name_keys: Sequence[str]) -> Mapping[str, list[tables.Company]]:
    """The companies of each folded name: names may repeat."""
    return grouped(await session.rows(_COMPANIES, name_keys=name_keys), "name_key")
