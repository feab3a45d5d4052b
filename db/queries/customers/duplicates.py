"""Possible duplicates: customers that share a phone number, an e-mail address or a name, minus dismissed pairs.

A group is all customers that share one value. Groups are sorted by the strength of the key, then by the value. A pair
belongs to the first group that contains both customers, and a group is listed if it contains a pair that is not
dismissed. So customers that share an address and a name are suggested once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from db import tables
from db.engine import Session
from db.statements import DialectStatement, PreparedStatement, any_of, in_workspace, prepare
from db.tables.column_types import Key as KeyText
from db.tables.enums import CustomerStage, DuplicateKey
from db.visibility import Visibility, visible_to

MAX_MATCHES: Final = (DuplicateKey.EMAIL, DuplicateKey.PHONE, DuplicateKey.NAME)
"""The keys in the order of the groups."""

MAX_GROUP_MEMBERS: Final = 100
"""Maximum number of customers of a group, and of matches of one customer by one key: the oldest."""

# For each key: the table, the column of the value, and the column of the customer's id.
_SOURCES: Final[Mapping[DuplicateKey, tuple[Any, str, str]]] = {
    DuplicateKey.EMAIL: (tables.CustomerEmail, "email_key", "customer_id"),
    DuplicateKey.PHONE: (tables.CustomerPhone, "phone", "customer_id"),
    DuplicateKey.NAME: (tables.Customer, "name_key", "id"),
}


@dataclass(frozen=True, slots=True)
class DuplicateKeyGroup:
    """Visible customers that share a value, oldest first, without those that are dismissed with all others."""

    key: DuplicateKey
    value: str
    customer_ids: tuple[bytes, ...]

    @property
    def id(self) -> bytes:
        """The id stays the same while the value is shared: the number of the key, the first bytes of the value for
        lookups, and part of its hash."""
        text = self.value.encode()
        return bytes([self.key]) + text[:_FIRST].ljust(_FIRST, b"\0") + sha256(text).digest()[: 15 - _FIRST]


_FIRST: Final = 7
_LAST: Final = "\U0010ffff"


async def fetch_groups(
    session: Session,
    keys: Iterable[DuplicateKey],
    visibility: Visibility,
    *,
    size: int,
    after: tuple[DuplicateKey, str] | None = None,
) -> list[DuplicateKeyGroup]:
    """The first `size` groups after the key and value `after`; one statement for each key that is reached."""
    asked = tuple(key for key in MAX_MATCHES if key in keys)
    found: list[DuplicateKeyGroup] = []
    for place, key in enumerate(asked):
        if after is not None and MAX_MATCHES.index(key) < MAX_MATCHES.index(after[0]):
            continue
        missing = size - len(found)
        if missing > 0:
            value = after[1] if after is not None and after[0] is key else ""
            statement = _page(key, asked[:place], visibility.sees_all, missing)
            rows = await session.fetch_all(statement, behind=value, **visibility.parameters())
            found += [DuplicateKeyGroup(key, row.value, tuple(_listed(row.ids))) for row in rows]
    return await _without_dismissed(session, found)


async def count_groups(
    session: Session, keys: Iterable[DuplicateKey], visibility: Visibility, at_most: int | None = None
) -> int:
    """The number of groups; counting stops at `at_most`."""
    asked = tuple(key for key in MAX_MATCHES if key in keys)
    found = 0
    for place, key in enumerate(asked):
        left = None if at_most is None else at_most - found
        if left is None or left > 0:
            statement = _count(key, asked[:place], visibility.sees_all, left)
            found += (await session.fetch_all(statement, behind="", **visibility.parameters()))[0].count
    return found


async def by_ids(session: Session, ids: Sequence[bytes], visibility: Visibility) -> Mapping[bytes, DuplicateKeyGroup]:
    """The groups that still exist, regardless of other groups of their customers. One statement each."""
    found: list[DuplicateKeyGroup] = []
    for one in ids:
        if one[0] < len(DuplicateKey):
            key, first = DuplicateKey(one[0]), one[1 : 1 + _FIRST].rstrip(b"\0").decode(errors="ignore")
            # From the position before it, so that a value as short as its prefix is found as well.
            statement = _between(key, visibility.sees_all)
            rows = await session.fetch_all(statement, behind=first[:-1], high=first + _LAST, **visibility.parameters())
            groups_ = (DuplicateKeyGroup(key, row.value, tuple(_listed(row.ids))) for row in rows)
            found += [group for group in groups_ if group.id == one]
    return {group.id: group for group in await _without_dismissed(session, found)}


async def matches(session: Session, ids: Sequence[bytes], visibility: Visibility) -> Mapping[bytes, list[bytes]]:
    """For each of these customers that is not archived, the visible customers that share a value: the oldest
    MAX_GROUP_MEMBERS by each key. One statement."""
    rows = await session.fetch_all(_matches(visibility.sees_all), ids=ids, **visibility.parameters())
    return {
        row.id: list(dict.fromkeys(one for listed in (row.emails, row.phones, row.names) for one in _listed(listed)))
        for row in rows
    }


async def shared_values(
    session: Session, ids: Sequence[bytes]
) -> Mapping[bytes, Mapping[DuplicateKey, frozenset[str]]]:
    """The values of each customer that are compared. One statement."""
    found: dict[bytes, dict[DuplicateKey, set[str]]] = {}
    for row in await session.fetch_all(_VALUES, ids=ids):
        found.setdefault(row.customer_id, {}).setdefault(DuplicateKey(row.key), set()).add(row.value)
    return {one: {key: frozenset(held) for key, held in by_key.items()} for one, by_key in found.items()}


async def dismissed_pairs(session: Session, ids: Sequence[bytes]) -> list[tables.DuplicateDismissal]:
    """The dismissed pairs that contain one of these customers."""
    return await session.fetch_all(_DISMISSED, ids=ids)


async def _without_dismissed(session: Session, found: Sequence[DuplicateKeyGroup]) -> list[DuplicateKeyGroup]:
    """A customer that is dismissed with every other customer of a group does not belong to it."""
    ids = list(dict.fromkeys(one for group in found for one in group.customer_ids))
    pairs = {(row.first_id, row.second_id) for row in await dismissed_pairs(session, ids)} if ids else set()
    if not pairs:
        return list(found)
    return [DuplicateKeyGroup(group.key, group.value, _left(group.customer_ids, pairs)) for group in found]


def _left(ids: tuple[bytes, ...], pairs: set[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    left = tuple(
        one for one in ids if any(other != one and (min(one, other), max(one, other)) not in pairs for other in ids)
    )
    # If more customers share the value than are read, the remaining ones may follow later.
    return left or ids


def _listed(ids: Any) -> list[bytes]:
    """An array on PostgreSQL, JSON of hexadecimal texts on SQLite."""
    return [bytes.fromhex(one) for one in orjson.loads(ids)] if isinstance(ids, str) else list(ids)


# ── statements ────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def _page(key: DuplicateKey, stronger: tuple[DuplicateKey, ...], sees_all: bool, size: int) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        row, found = _shared(key, stronger, sees_all)
        found = found.add_columns(_members(key, row, sees_all, dialect))
        return found.order_by(getattr(row, _SOURCES[key][1])).limit(literal_column(str(size)))

    return DialectStatement(build)


@cache
def _count(
    key: DuplicateKey, stronger: tuple[DuplicateKey, ...], sees_all: bool, at_most: int | None
) -> PreparedStatement[Any]:
    _, found = _shared(key, stronger, sees_all)
    if at_most is not None:
        found = found.limit(literal_column(str(at_most)))
    return prepare(select(func.count().label("count")).select_from(found.subquery("suggested")))


@cache
def _between(key: DuplicateKey, sees_all: bool) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        row, found = _shared(key, (), sees_all, first=False)
        value = getattr(row, _SOURCES[key][1])
        return found.where(value <= bindparam("high", type_=KeyText)).add_columns(_members(key, row, sees_all, dialect))

    return DialectStatement(build)


def _shared(
    key: DuplicateKey, stronger: Iterable[DuplicateKey], sees_all: bool, *, first: bool = True
) -> tuple[Any, Select[Any]]:
    """The values of groups in index order, so that a page reads only what it needs."""
    table, name, _ = _SOURCES[key]
    row = aliased(table)
    value = getattr(row, name)
    found = (
        select(value.label("value"))
        .where(in_workspace(row), value > bindparam("behind", type_=KeyText))
        .group_by(value)
    )
    several = func.count() > literal_column("1")
    if not sees_all:
        # Most values are shared with invisible customers only. This cheap test comes first.
        several = several & (_in_sight(key, row) > literal_column("1"))
    suggested = _suggested(key, row, stronger, sees_all, first=first)
    return row, found.having(case((several, suggested)).is_not(None))


def _suggested(
    key: DuplicateKey, row: Any, stronger: Iterable[DuplicateKey], sees_all: bool, *, first: bool = True
) -> Any:
    """Whether two visible customers with the value are neither dismissed nor (`first`) in an earlier group; null
    otherwise. As a single value, so that no database starts with all pairs of customers."""
    table, name, identifier = _SOURCES[key]
    one, two = aliased(table), aliased(table)
    ids = _Pair(one, two, getattr(one, identifier), getattr(two, identifier))
    value = getattr(row, name)
    found: Any = select(literal_column("1")).where(
        in_workspace(one, two), getattr(one, name) == value, getattr(two, name) == value, ids.second > ids.first
    )
    for own, of in ((one, ids.first), (two, ids.second)):
        customer = own if table is tables.Customer else aliased(tables.Customer)
        if customer is not own:
            found = found.where(in_workspace(customer), customer.id == of)
        found = found.where(_living(customer), visible_to(sees_all, customer))
    found = found.where(not_(_dismissed_pair(ids)))
    if first:
        found = found.where(*(not_(_share(other, ids)) for other in stronger))
        if table is not tables.Customer:
            found = found.where(not_(_share(key, ids, before=getattr(one, name))))
    found = found.limit(literal_column("1")).correlate(row)
    return found.scalar_subquery()


def _in_sight(key: DuplicateKey, row: Any) -> Any:
    """The number of customers with the value that may be visible, at most two. Each kind is looked up in its own index,
    without reading customers."""
    table, name, identifier = _SOURCES[key]
    one = aliased(table)
    found: Any = select(literal_column("1").label("one")).where(
        in_workspace(one), getattr(one, name) == getattr(row, name)
    )
    if table is tables.Customer:
        found = found.where(visible_to(False, one))
    else:
        found = found.where(or_(*(_is(one, identifier, glance) for glance in _GLANCES)))
    found = found.limit(literal_column("2")).correlate(row)
    return select(func.count()).select_from(found.subquery()).correlate(row).scalar_subquery()


_GLANCES: Final = (
    lambda customer: customer.stage == CustomerStage.POOL.value,
    lambda customer: customer.owner_id == bindparam("seen_agent"),
    lambda customer: any_of(customer.department_id, "seen_departments"),
)
"""Customers that may be visible: the pool, own customers, and all customers of own departments."""


def _is(row: Any, identifier: str, glance: Any) -> ColumnElement[bool]:
    customer = aliased(tables.Customer)
    found: Any = select(literal_column("1")).where(
        in_workspace(customer), customer.id == getattr(row, identifier), glance(customer)
    )
    return exists(found.correlate(row))


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two rows of the statement with the ids of their customers."""

    one: Any
    two: Any
    first: Any
    second: Any


def _share(key: DuplicateKey, ids: _Pair, *, before: Any = None) -> ColumnElement[bool]:
    """The two customers share a value of the key, or of an earlier key if given."""
    table, name, identifier = _SOURCES[key]
    one, two = aliased(table), aliased(table)
    found: Any = select(literal_column("1")).where(
        in_workspace(one, two),
        getattr(one, identifier) == ids.first,
        getattr(two, identifier) == ids.second,
        getattr(one, name) == getattr(two, name),
    )
    if before is not None:
        found = found.where(func.coalesce(getattr(one, name), literal_column("''")) < before)
    return exists(found.correlate(ids.one, ids.two))


def _living(customer: Any) -> ColumnElement[bool]:
    """Not archived, written so that no database starts with the index of archived customers."""
    return func.coalesce(customer.archived_at, literal_column("0")) == literal_column("0")


def _dismissed_pair(ids: _Pair) -> ColumnElement[bool]:
    pair = aliased(tables.DuplicateDismissal)
    found: Any = select(literal_column("1")).where(
        in_workspace(pair), pair.first_id == ids.first, pair.second_id == ids.second
    )
    return exists(found.correlate(ids.one, ids.two))


def _members(key: DuplicateKey, row: Any, sees_all: bool, dialect: str) -> Any:
    table, name, identifier = _SOURCES[key]
    member = aliased(table)
    customer = member if table is tables.Customer else aliased(tables.Customer)
    found = select(getattr(member, identifier).label("id")).where(
        in_workspace(member), getattr(member, name) == getattr(row, name)
    )
    if customer is not member:
        found = found.where(in_workspace(customer), customer.id == getattr(member, identifier))
    found = found.where(_living(customer), visible_to(sees_all, customer))
    return _gathered(found.correlate(row), dialect).label("ids")


@cache
def _matches(sees_all: bool) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        customer = tables.Customer
        lists = (
            _gathered(_others(key, customer, sees_all), dialect).label(label)
            for key, label in zip(MAX_MATCHES, ("emails", "phones", "names"), strict=True)
        )
        return select(customer.id, *lists).where(  # type: ignore[call-overload, no-any-return] # a column
            in_workspace(customer),
            any_of(customer.id, "ids"),
            customer.archived_at.is_(None),  # type: ignore[union-attr] # as above
        )

    return DialectStatement(build)


def _others(key: DuplicateKey, customer: Any, sees_all: bool) -> Select[Any]:
    table, name, identifier = _SOURCES[key]
    row = aliased(table)
    other = row if table is tables.Customer else aliased(tables.Customer)
    other_id = getattr(row, identifier)
    found = select(other_id.label("id")).where(in_workspace(row), other_id != customer.id)
    if other is row:
        found = found.where(row.name_key == customer.name_key)
    else:
        own = aliased(table)
        found = found.where(in_workspace(own, other), getattr(own, identifier) == customer.id, other.id == other_id)
        found = found.where(getattr(row, name) == getattr(own, name)).distinct()
    both_ways = _Pair(row, customer, other_id, customer.id), _Pair(row, customer, customer.id, other_id)
    found = found.where(_living(other), visible_to(sees_all, other), *(not_(_dismissed_pair(ids)) for ids in both_ways))
    return found.correlate(customer)


def _gathered(found: Select[Any], dialect: str) -> Any:
    """The ids, oldest first, as one value."""
    some = found.order_by("id").limit(literal_column(str(MAX_GROUP_MEMBERS)))
    if dialect == "sqlite":
        inner = some.subquery()
        return select(func.json_group_array(func.hex(inner.c.id))).select_from(inner).scalar_subquery()
    return func.array(some.scalar_subquery())


_VALUES: Final = prepare(
    union_all(
        *(
            select(
                getattr(table, identifier).label("customer_id"),
                literal_column(str(key.value)).label("key"),
                getattr(table, name).label("value"),
            ).where(in_workspace(table), any_of(getattr(table, identifier), "ids"))
            for key, (table, name, identifier) in _SOURCES.items()
        )
    )
)
_DISMISSED: Final = prepare(
    select(tables.DuplicateDismissal).where(
        in_workspace(tables.DuplicateDismissal),
        or_(any_of(tables.DuplicateDismissal.first_id, "ids"), any_of(tables.DuplicateDismissal.second_id, "ids")),
    )
)
