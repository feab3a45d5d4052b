"""Reads for exports: pages of customers by id with only the exported columns, and all ids in advance."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, literal_column
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.paging.keyset import ListQuery, ListQueryKey, ordered_select
from db.paging.sorting import Sort
from db.statements import DialectStatement, PreparedStatement, any_of, in_workspace, prepare
from db.visibility import Visibility, visible_to

_CUSTOMER: Final = tables.Customer


@dataclass(frozen=True, slots=True)
class ExportRead:
    """The customers of a page. Adjacent ids are read as one range of the index, three times as fast as single ids. The
    range may contain others, which the reader skips."""

    ids: Sequence[bytes]
    together: bool = False

    def values(self) -> dict[str, Any]:
        return {"first": min(self.ids), "last": max(self.ids)} if self.together else {"ids": self.ids}


def _asked(column: Any, together: bool) -> Any:
    return column.between(bindparam("first"), bindparam("last")) if together else any_of(column, "ids")


async def export_customers(
    session: Session, asked: ExportRead, visibility: Visibility, columns: frozenset[str]
) -> list[Any] | None:
    """The visible customers with these columns and the id, unordered; None if a requested range is too sparse."""
    statement = _customers(columns | {"id"}, visibility.sees_all, asked.together)
    most = 2 * len(asked.ids)
    found = await session.fetch_all(
        statement, **asked.values(), **visibility.parameters(), **({"most": most} if asked.together else {})
    )
    return None if asked.together and len(found) == most else found


@lru_cache(maxsize=200)
def _customers(columns: frozenset[str], sees_all: bool, together: bool) -> PreparedStatement[Any]:
    chosen = [col(getattr(_CUSTOMER, name)) for name in sorted(columns)]
    found = select(*chosen).where(in_workspace(_CUSTOMER), _asked(col(_CUSTOMER.id), together), visible_to(sees_all))
    return prepare(found.limit(bindparam("most")) if together else found)


def _hanging(table: Any, *columns: Any, together: bool) -> Select[Any]:
    """The id of the customer first, then the columns of the child row."""
    found: Select[Any] = select(col(table.customer_id), *columns)
    return found.where(in_workspace(table), _asked(col(table.customer_id), together))


_PHONE, _EMAIL, _EXTERNAL = tables.CustomerPhone, tables.CustomerEmail, tables.CustomerExternalId
_VALUE, _WORN, _FRIEND = tables.CustomerValue, tables.CustomerTag, tables.WechatFriend
_PARTS: Final[Mapping[str, tuple[Any, Sequence[Any], Sequence[Any]]]] = {
    "phones": (_PHONE, [_PHONE.phone], [_PHONE.position]),
    "emails": (_EMAIL, [_EMAIL.email], [_EMAIL.position]),
    "external_ids": (_EXTERNAL, [_EXTERNAL.system, _EXTERNAL.value], [_EXTERNAL.system, _EXTERNAL.value]),
    "values": (
        _VALUE,
        [_VALUE.field_id, _VALUE.text, _VALUE.number, _VALUE.boolean, _VALUE.date, _VALUE.date_time, _VALUE.option],
        [_VALUE.position],
    ),
}


@cache
def _part(part: str, together: bool) -> PreparedStatement[Any]:
    table, columns, order = _PARTS[part]
    return prepare(_hanging(table, *map(col, columns), together=together).order_by(*map(col, order)))


async def related_rows(session: Session, part: str, asked: ExportRead) -> list[Any]:
    """The child rows of the customers, each with the customer's id first: (id, phone), (id, system, value), …"""
    return await session.fetch_all(_part(part, asked.together), **asked.values()) if asked.ids else []


_ID: Final = 16
_JOINED: Final[Mapping[str, tuple[Any, Any]]] = {"tags": (_WORN, _WORN.tag_id), "friends": (_FRIEND, _FRIEND.agent_id)}


@cache
def _joined(part: str, together: bool) -> PreparedStatement[Any]:
    """The ids of the child rows of each customer, concatenated, because decoding many small rows costs the most."""
    table, key = _JOINED[part]

    def build(dialect: str) -> Select[Any]:
        empty: Any = literal_column("''::bytea" if dialect == "postgresql" else "''")
        joined = func.string_agg(key, empty) if dialect == "postgresql" else func.group_concat(func.hex(key), empty)
        return _hanging(table, joined.label("ids"), together=together).group_by(col(table.customer_id))

    return DialectStatement(build)


async def joined_rows(session: Session, part: str, asked: ExportRead) -> list[tuple[bytes, list[bytes]]]:
    """The ids of the tags or friends of each customer."""
    rows = await session.fetch_all(_joined(part, asked.together), **asked.values())
    held = [(row[0], row[1] if isinstance(row[1], bytes) else bytes.fromhex(row[1])) for row in rows]
    return [(key, [some[at : at + _ID] for at in range(0, len(some), _ID)]) for key, some in held]


_SHARED: Final[Mapping[str, PreparedStatement[Any]]] = {
    part: prepare(select(table.id, *columns).where(in_workspace(table), any_of(table.id, "ids")))
    for part, table, columns in (
        ("tags", tables.Tag, (tables.Tag.name, tables.Tag.name_key)),
        ("agents", tables.Agent, (tables.Agent.email, tables.Agent.name_key)),
        ("companies", tables.Company, (tables.Company.name,)),
        ("departments", tables.Department, (tables.Department.name,)),
    )
}


async def shared_records(session: Session, part: str, ids: Collection[bytes]) -> list[Any]:
    """Records that many customers share: id and name in the file."""
    return await session.fetch_all(_SHARED[part], ids=list(ids)) if ids else []


def all_ids(session: Session, match: ListQuery, sort: Sort, size: int) -> AsyncGenerator[list[Any]]:
    """The ids of all customers of a list in order, in batches of `size`, as one snapshot."""
    return session.stream(_ids(ListQueryKey(match), sort.cache_key), size, **match.parameters, **sort.parameters)


@lru_cache(maxsize=200)
def _ids(kept: ListQueryKey, sort: tuple[Any, ...]) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        found = ordered_select(kept.listing, dialect, sort, wanted=False)
        return found.with_only_columns(kept.listing.row.id.label("id"), maintain_column_froms=True)

    return DialectStatement(build)
