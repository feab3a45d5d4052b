"""Sorts as JSON, and the SQL expressions that rows are ordered by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, inspect, join, not_, outerjoin, select
from sqlalchemy.orm import aliased

from db import tables
from db.filtering import custom_fields, search
from db.filtering import parser as read
from db.filtering.compiler import ConditionCompiler
from db.filtering.errors import Path, QueryError, invalid_query
from db.filtering.filter_context import FilterContext
from db.filtering.search import Search
from db.filtering.sqlite_hints import ForcedJoinOrder
from db.statements import in_workspace
from db.tables.column_types import Id
from db.tables.enums import CustomFieldType, EntityType
from db.visibility import visible_to

ValueKind = Literal["text", "integer", "number", "boolean", "bytes"]

MAX_SORT_KEYS: Final = 10
"""Maximum number of keys; each costs a comparison per row."""

_ORDERS: Final = ("ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST")


class SortExpression(Protocol):
    """An expression to order by. `place` separates the parameters of several keys."""

    @property
    def kind(self) -> ValueKind: ...

    @property
    def nullable(self) -> bool: ...

    def ordered_by(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler
    ) -> tuple[Select[Any], Any]:
        """The query and the expression, which is null without a value."""

    def present(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler, *, down: bool
    ) -> tuple[Select[Any], Any]:
        """The query of rows with a value, and the expression. `down`: in descending order."""

    def absent(self, found: Select[Any], row: Any, place: int) -> Select[Any]:
        """The query of rows without a value."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort. `field_id` is bound to the expression of a custom field."""

    expression: Any
    descending: bool = False
    nulls_first: bool = False
    field_id: bytes | None = None

    @property
    def nullable(self) -> bool:
        return bool(self.expression.nullable)


@dataclass(frozen=True, slots=True)
class Sort:
    """Keys in order. The id breaks ties in the first key's direction; it is not part of the keys."""

    keys: tuple[SortKey, ...] = ()
    descending: bool = True
    """The direction of the id."""

    @property
    def cache_key(self) -> tuple[Any, ...]:
        """Equal for sorts that differ in bound values only."""
        keys = tuple((key.expression, key.descending, key.nulls_first) for key in self.keys)
        return (self.descending, keys)

    @property
    def parameters(self) -> dict[str, Any]:
        return {f"s{place}": key.field_id for place, key in enumerate(self.keys) if key.field_id is not None}


NEWEST_FIRST: Final = Sort()


# ── expressions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ColumnExpression:
    """A column of the row itself."""

    name: str
    kind: ValueKind = "text"
    nullable: bool = False

    def ordered_by(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler
    ) -> tuple[Select[Any], Any]:
        return found, getattr(row, self.name)

    def present(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler, *, down: bool
    ) -> tuple[Select[Any], Any]:
        column = getattr(row, self.name)
        return (found.where(column.is_not(None)) if self.nullable else found), column

    def absent(self, found: Select[Any], row: Any, place: int) -> Select[Any]:
        return found.where(getattr(row, self.name).is_(None))


@dataclass(frozen=True, slots=True)
class RelatedColumn:
    """A column of the record that `near` refers to."""

    near: str
    table: Any
    name: str
    kind: ValueKind = "text"
    nullable: bool = True

    def ordered_by(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler
    ) -> tuple[Select[Any], Any]:
        other = aliased(self.table)
        return found.outerjoin(other, and_(in_workspace(other), other.id == getattr(row, self.near))), getattr(
            other, self.name
        )

    def present(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler, *, down: bool
    ) -> tuple[Select[Any], Any]:
        other = aliased(self.table)
        both = ForcedJoinOrder(inspect(other).selectable, inspect(row).selectable, other.id == getattr(row, self.near))
        return found.select_from(both).where(in_workspace(other)), getattr(other, self.name)

    def absent(self, found: Select[Any], row: Any, place: int) -> Select[Any]:
        return found.where(getattr(row, self.near).is_(None))


@dataclass(frozen=True, slots=True)
class RelatedCount:
    """The number of visible customers of a record of `table`, without archived ones. `near` refers to the record,
    `column` from a customer or a row of `link` back to it."""

    near: str
    table: Any
    column: str
    link: Any = None
    nullable: bool = True
    kind: ValueKind = "integer"

    def ordered_by(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler
    ) -> tuple[Select[Any], Any]:
        counts = self._counts(writer)
        return found.outerjoin(counts, counts.c.key == getattr(row, self.near)), counts.c.number

    def present(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler, *, down: bool
    ) -> tuple[Select[Any], Any]:
        counts = self._counts(writer, down=down)
        return found.join(counts, counts.c.key == getattr(row, self.near)), counts.c.number

    def absent(self, found: Select[Any], row: Any, place: int) -> Select[Any]:
        return found.where(getattr(row, self.near).is_(None))

    def _counts(self, writer: ConditionCompiler, *, down: bool | None = None) -> Any:
        """Each record once with its number; sorted if `down` is given, so that a list starts with the first and stops
        when its page is full."""
        record: Any = aliased(self.table)
        customer: Any = aliased(tables.Customer)
        first: Any = customer if self.link is None else aliased(self.link)
        own = and_(in_workspace(customer), customer.archived_at.is_(None), visible_to(writer.sees_all, customer))
        back = getattr(first, self.column) == record.id
        if self.link is None:
            counted = outerjoin(record, customer, and_(own, back))
        else:
            both = join(first, customer, and_(in_workspace(first), own, customer.id == first.customer_id))
            counted = outerjoin(record, both, back)
        number = func.count(customer.id)
        found = (
            select(record.id.label("key"), number.label("number"))
            .select_from(counted)
            .where(in_workspace(record))
            .group_by(record.id)
        )
        if down is not None:
            found = found.order_by(number.desc() if down else number.asc())
        return found.subquery()


@dataclass(frozen=True, slots=True)
class CustomFieldExpression:
    """The value of a custom field; the first of several."""

    column: str
    kind: ValueKind
    nullable: bool = True

    def ordered_by(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler
    ) -> tuple[Select[Any], Any]:
        value: Any = aliased(tables.CustomerValue)
        return found.outerjoin(value, self._of(value, row, place)), getattr(value, self.column)

    def present(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler, *, down: bool
    ) -> tuple[Select[Any], Any]:
        value: Any = aliased(tables.CustomerValue)
        both = ForcedJoinOrder(inspect(value).selectable, inspect(row).selectable, self._of(value, row, place))
        return found.select_from(both).where(in_workspace(value)), getattr(value, self.column)

    def absent(self, found: Select[Any], row: Any, place: int) -> Select[Any]:
        value: Any = aliased(tables.CustomerValue)
        return found.where(not_(select(value.position).where(self._of(value, row, place)).exists()))

    def _of(self, value: Any, row: Any, place: int) -> ColumnElement[bool]:
        return and_(
            in_workspace(value),
            value.customer_id == row.id,
            value.field_id == bindparam(f"s{place}", type_=Id),
            value.position == 0,
            getattr(value, self.column).is_not(None),
        )


@dataclass(frozen=True, slots=True)
class Relevance:
    """The relevance of a match for the search."""

    shape: Any
    search: Search = field(compare=False, repr=False)
    kind: ValueKind = "integer"
    nullable: bool = False

    def ordered_by(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler
    ) -> tuple[Select[Any], Any]:
        return found, search.relevance_rank(self.search, writer, row)

    def present(
        self, found: Select[Any], row: Any, place: int, writer: ConditionCompiler, *, down: bool
    ) -> tuple[Select[Any], Any]:
        return self.ordered_by(found, row, place, writer)

    def absent(self, found: Select[Any], row: Any, place: int) -> Select[Any]:
        raise AssertionError("every customer fits to some degree")


# ── the names of sorts ────────────────────────────────────────────────────────────────────────────────────────────────

_ID: Final = ColumnExpression("id", "bytes")
_EQUAL: Final = ColumnExpression("workspace_id", "integer")
"""The same for all rows."""

CUSTOMER_SORTS: Final[Mapping[str, Any]] = {
    "id": _ID,
    "name": ColumnExpression("name_key"),
    "nickname": ColumnExpression("nickname_key", nullable=True),
    "phone": ColumnExpression("phone", nullable=True),
    "email": ColumnExpression("email_key", nullable=True),
    "value": ColumnExpression("value", "integer"),
    "gender": ColumnExpression("gender", "integer", nullable=True),
    "birthDate": ColumnExpression("birth_date", nullable=True),
    "createdAt": _ID,
    "updatedAt": ColumnExpression("updated_at", "integer"),
    "lastInteractionAt": ColumnExpression("last_interaction_at", "integer", nullable=True),
    "relationshipStatus": ColumnExpression("relationship_status", "integer"),
    "subscriptionStatus": ColumnExpression("subscription_status", "integer"),
    "stage": ColumnExpression("stage", "integer"),
    "tags": ColumnExpression("first_tag_key", nullable=True),
    "tagCount": ColumnExpression("tag_count", "integer"),
    "company": {
        "id": ColumnExpression("company_id", "bytes", nullable=True),
        "name": RelatedColumn("company_id", tables.Company, "name_key"),
        "createdAt": ColumnExpression("company_id", "bytes", nullable=True),
        "customerCount": RelatedCount("company_id", tables.Company, "company_id"),
    },
    "owner": {
        "id": ColumnExpression("owner_id", "bytes", nullable=True),
        "name": RelatedColumn("owner_id", tables.Agent, "name_key"),
        "customerCount": RelatedCount("owner_id", tables.Agent, "owner_id"),
    },
}
COMPANY_SORTS: Final[Mapping[str, Any]] = {
    "id": _ID,
    "name": ColumnExpression("name_key"),
    "createdAt": _ID,
    "customerCount": RelatedCount("id", tables.Company, "company_id", nullable=False),
}
AGENT_SORTS: Final[Mapping[str, Any]] = {
    "id": _ID,
    "name": ColumnExpression("name_key"),
    "customerCount": RelatedCount("id", tables.Agent, "owner_id", nullable=False),
}
TAG_SORTS: Final[Mapping[str, Any]] = {
    "name": ColumnExpression("name_key"),
    "createdAt": _ID,
    "customerCount": RelatedCount("id", tables.Tag, "tag_id", tables.CustomerTag, nullable=False),
}
SEGMENT_SORTS: Final[Mapping[str, Any]] = {"name": ColumnExpression("name_key"), "createdAt": _ID}

_FIELD_KINDS: Final[Mapping[str, ValueKind]] = {"number": "number", "boolean": "boolean", "date_time": "integer"}


def parse_sort(
    plain: Any,
    names: Mapping[str, Any],
    circumstances: FilterContext,
    path: Path = ("sort",),
    *,
    relevance: SortExpression | None = None,
) -> Sort:
    """Parses a list of one-key objects; newest first if empty. Without a search, `relevance` is equal for all rows.
    Raises QueryError."""
    if plain is None:
        return NEWEST_FIRST
    listed: Sequence[Any] = read.read_list(plain, path)
    if len(listed) > MAX_SORT_KEYS:
        message = f"A sort has at most {MAX_SORT_KEYS} keys, not {len(listed)}."
        raise QueryError("LIMIT_EXCEEDED", message, path, limit=MAX_SORT_KEYS)
    keys: list[SortKey] = []
    descending: bool | None = None
    for place, one in enumerate(listed):
        key = _key(one, names, circumstances, (*path, str(place)), relevance)
        if key.expression is _ID:
            # The id is unique, so later keys have no effect.
            return Sort(tuple(keys), key.descending)
        descending = key.descending if descending is None else descending
        if key.expression is not _EQUAL:
            keys.append(key)
    return Sort(tuple(keys), True if descending is None else descending)


def _key(
    plain: Any,
    names: Mapping[str, Any],
    circumstances: FilterContext,
    path: Path,
    relevance: SortExpression | None,
) -> SortKey:
    given = read.read_object(plain, path)
    if len(given) != 1:
        raise invalid_query(f"`{'.'.join(path)}` takes exactly one key.", path)
    ((name, order),) = given.items()
    here = (*path, name)
    if name == "customField" and names is CUSTOMER_SORTS:
        return _field(order, circumstances, here)
    if name == "relevance" and names is CUSTOMER_SORTS:
        return _directed(_EQUAL if relevance is None else relevance, order, here)
    found = names.get(name)
    if found is None:
        raise invalid_query(f"There is no `{name}` to sort by at `{'.'.join(path)}`.", here)
    return _key(order, found, circumstances, here, None) if isinstance(found, dict) else _directed(found, order, here)


def _field(plain: Any, circumstances: FilterContext, path: Path) -> SortKey:
    given = read.read_object(plain, path)
    if unknown := [name for name in given if name not in ("key", "order")]:
        raise read.unknown_field(unknown[0], path)
    found = custom_fields.find_field(
        circumstances, EntityType.CUSTOMER, read.read_text(given.get("key"), (*path, "key")), (*path, "key")
    )
    column = custom_fields.SORTED_COLUMNS.get(CustomFieldType(found.type), "text_key")
    expression = CustomFieldExpression(column, _FIELD_KINDS.get(column, "text"))
    return _directed(expression, given.get("order", "ASC"), (*path, "order"), found.id)


def _directed(expression: Any, order: Any, path: Path, field_id: bytes | None = None) -> SortKey:
    if order not in _ORDERS:
        raise invalid_query(f"`{'.'.join(path)}` takes one of {', '.join(_ORDERS)}.", path)
    return SortKey(expression, order.startswith("DESC"), order.endswith("NULLS_FIRST"), field_id)
