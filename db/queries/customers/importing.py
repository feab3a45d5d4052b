"""Lookups for imports: customers by their keys, companies by name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.statements import PreparedStatement, any_of, group_rows, in_workspace, prepare
from db.visibility import Visibility, visible_to

_CUSTOMER = tables.Customer


def _holding(table: Any, key: Any, *conditions: Any) -> Mapping[bool, PreparedStatement[Any]]:
    return {
        sees_all: prepare(
            select(key.label("key"), col(_CUSTOMER.id).label("id"), col(_CUSTOMER.company_id).label("company_id"))
            .select_from(table)
            .join(_CUSTOMER, col(_CUSTOMER.id) == table.customer_id)
            .where(in_workspace(table, _CUSTOMER), any_of(key, "keys"), *conditions, visible_to(sees_all))
            .order_by(col(_CUSTOMER.id))
        )
        for sees_all in (True, False)
    }


_EMAIL, _PHONE, _EXTERNAL = tables.CustomerEmail, tables.CustomerPhone, tables.CustomerExternalId
_BY_EMAIL: Final = _holding(_EMAIL, col(_EMAIL.email_key))
_BY_PHONE: Final = _holding(_PHONE, col(_PHONE.phone))
_BY_EXTERNAL_ID: Final = _holding(_EXTERNAL, col(_EXTERNAL.value), col(_EXTERNAL.system) == bindparam("system"))
_COMPANIES = prepare(
    select(tables.Company)
    .where(in_workspace(tables.Company), any_of(tables.Company.name_key, "name_keys"))
    .order_by(col(tables.Company.id))
)


async def by_email(session: Session, keys: Sequence[str], visibility: Visibility) -> Mapping[str, list[Any]]:
    """The visible customers of each folded e-mail address, primary or not: `id`, `company_id`."""
    return group_rows(
        await session.fetch_all(_BY_EMAIL[visibility.sees_all], keys=keys, **visibility.parameters()), "key"
    )


async def by_phone(session: Session, keys: Sequence[str], visibility: Visibility) -> Mapping[str, list[Any]]:
    """The visible customers of each phone number, primary or not."""
    return group_rows(
        await session.fetch_all(_BY_PHONE[visibility.sees_all], keys=keys, **visibility.parameters()), "key"
    )


async def by_external_id(
    session: Session, system: str, keys: Sequence[str], visibility: Visibility
) -> Mapping[str, list[Any]]:
    """The visible customer of each id in that system."""
    rows = await session.fetch_all(
        _BY_EXTERNAL_ID[visibility.sees_all], keys=keys, system=system, **visibility.parameters()
    )
    return group_rows(rows, "key")


async def companies(session: Session, name_keys: Sequence[str]) -> Mapping[str, list[tables.Company]]:
    """The companies of each folded name; names may repeat."""
    return group_rows(await session.fetch_all(_COMPANIES, name_keys=name_keys), "name_key")
