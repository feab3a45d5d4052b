"""Compiles a filter AST to SQL. Values are bound later: index 3 is the parameter f3."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    Text,
    and_,
    bindparam,
    distinct,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from db.filtering.filter_ast import TRUE, FilterNode, conjunction, conjuncts, negate, own_columns
from db.filtering.relations import RELATIONS, Relation
from db.filtering.sqlite_hints import ForcedJoinOrder, WithoutIndex, without_index
from db.statements import any_of, in_workspace
from db.visibility import visible_to

SqlCondition = ColumnElement[bool]

_INVERSE = {"=": "<>", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_ONE: Any = literal_column("1")
_NONE_LEFT_OUT: Any = literal_column("0")
# Not false(): SQLAlchemy would drop the conditions beside it, including the workspace.
_NEVER = literal_column("1 = 0", Boolean())


class ConditionCompiler:
    """Compiles conditions for one dialect, for viewers with full or limited visibility.

    NOT is pushed down to the comparisons, where empty columns can be handled.
    """

    def __init__(self, dialect: str, *, sees_all: bool, walking: bool = False) -> None:
        """`walking`: the rows are read one by one in list order until the page is full."""
        self.sqlite = dialect == "sqlite"
        self.sees_all = sees_all
        self._walking = walking
        self._choosing = 0
        self._begun = False

    def compile(self, shape: FilterNode, row: Any, negated: bool = False) -> SqlCondition:
        """The condition on a row: a table or an alias."""
        kind = shape[0]
        if kind == "not":
            return self.compile(shape[1], row, not negated)
        if kind in ("true", "false"):
            return true() if (kind == "true") is not negated else _NEVER
        if kind in ("and", "or"):
            choice = (kind == "or") is not negated
            self._choosing += choice
            # Conditions on own columns come first; they often make the others unnecessary.
            parts = list(self._parts(sorted(shape[1:], key=_elsewhere), row, negated))
            self._choosing -= choice
            return or_(*parts) if choice else and_(*parts)
        says: SqlCondition = getattr(self, f"_{kind}")(row, negated, *shape[1:])
        return says

    def _parts(self, shapes: Sequence[FilterNode], row: Any, negated: bool) -> Iterator[SqlCondition]:
        """Compiles each condition. `_begun` tells whether another condition that always applies can use an index."""
        begun = self._begun
        begins = [not (negated or self._choosing) and _begins(one) for one in shapes]
        for mine, one in zip(begins, shapes, strict=True):
            self._begun = begun or sum(begins) > mine
            yield self.compile(one, row, negated)
        self._begun = begun

    def join_relations(self, found: Select[Any], row: Any, shape: FilterNode) -> tuple[Select[Any], FilterNode]:
        """Joins relations with at most one related row, and returns the remaining condition.

        PostgreSQL can start a join with either side and follow an index of the related rows in list order. It plans
        EXISTS differently.
        """
        left = []
        for part in conjuncts(shape):
            if part[0] == "some" and _once(part[1], part[2]):
                relation = RELATIONS[part[1]]
                other: Any = aliased(relation.link or relation.target)
                there = (
                    other if relation.link is None else SimpleNamespace(id=getattr(other, str(relation.link_column)))
                )
                far = getattr(other, relation.target_column)
                says = and_(in_workspace(other), far == getattr(row, relation.own_column), self.compile(part[2], there))
                found = found.join(other, says)
            else:
                left.append(part)
        return found, conjunction(left)

    def select_from_relation(self, row: Any, relation: str, shape: FilterNode) -> Any:
        """The FROM clause that makes SQLite read the related rows in the order of `linked_ids` and look up each row."""
        other, found = _leading(relation), RELATIONS[relation]
        there = other if found.link is None else SimpleNamespace(id=getattr(other, str(found.link_column)))
        says = and_(
            in_workspace(other), linked_ids(relation) == getattr(row, found.own_column), self.compile(shape, there)
        )
        return ForcedJoinOrder(other, row, says)

    # ── single columns ────────────────────────────────────────────────────────────────────────────────────────────────

    def _compare(self, row: Any, negated: bool, name: str, operator: str, place: int) -> SqlCondition:
        column = getattr(row, name)
        said = column if operator == "=" else self._passed(column, name)
        if not negated:
            return _compared(said, operator, place)
        return _or_empty(column, _compared(said, _INVERSE[operator], place), said)

    def _equal(self, row: Any, negated: bool, key: str, name: str, folded: int, exact: int) -> SqlCondition:
        if negated:
            return self._compare(row, True, name, "=", exact)
        return _compared(getattr(row, key), "=", folded) & _compared(getattr(row, name), "=", exact)

    def _among(self, row: Any, negated: bool, name: str, place: int) -> SqlCondition:
        column = getattr(row, name)
        listed = any_of(column, f"f{place}", kind=_type(column))
        return _or_empty(column, not_(listed)) if negated else listed

    def _among_folded(self, row: Any, negated: bool, key: str, name: str, folded: int, exact: int) -> SqlCondition:
        listed = self._among(row, negated, name, exact)
        return listed if negated else any_of(getattr(row, key), f"f{folded}") & listed

    def _between(self, row: Any, negated: bool, name: str, low: int, high: int) -> SqlCondition:
        column = getattr(row, name)
        said = self._passed(column, name)
        if not negated:
            return _compared(said, ">=", low) & _compared(said, "<", high)
        return _or_empty(column, or_(_compared(said, "<", low), _compared(said, ">=", high)), said)

    def _passed(self, column: Any, name: str) -> Any:
        """The column to compare with a bound. For a range that matches half of the rows SQLite would abandon the list
        order."""
        return without_index(column) if self.sqlite and self._walking and name != "id" else column

    def _holds(self, row: Any, negated: bool, name: str, place: int, pattern: int) -> SqlCondition:
        """PostgreSQL can estimate the number of rows from a LIKE pattern."""
        column = getattr(row, name)
        if not self.sqlite:
            return self._ends(row, negated, name, pattern)
        says = self.contains(column, bindparam(f"f{place}", type_=Text()))
        return _or_empty(column, not_(says)) if negated else says

    def contains(self, column: Any, text: Any) -> SqlCondition:
        """The column contains the text, byte for byte. The result is null for an empty column."""
        says: SqlCondition = self.text_position(column, text) > literal_column("0")
        return says

    def text_position(self, column: Any, text: Any) -> Any:
        """The position of the text in the column, from 1; 0 if it does not occur."""
        return (func.instr if self.sqlite else func.strpos)(column, text, type_=Integer())

    def _ends(self, row: Any, negated: bool, name: str, place: int) -> SqlCondition:
        column = getattr(row, name)
        says = column.like(bindparam(f"f{place}", type_=Text()), escape="\\")
        return _or_empty(column, not_(says)) if negated else says

    def _flag(self, row: Any, negated: bool, name: str) -> SqlCondition:
        column = getattr(row, name)
        says: SqlCondition = column.is_not(True) if negated else column.is_(True)
        return says

    def _empty(self, row: Any, negated: bool, name: str) -> SqlCondition:
        column = getattr(row, name)
        says: SqlCondition = column.is_not(None) if negated else column.is_(None)
        return says

    def _later(self, row: Any, negated: bool, name: str, place: int) -> SqlCondition:
        column = getattr(row, name)
        return _compared(column, "<=", place) if negated else _or_empty(column, _compared(column, ">", place))

    def _anniversary(self, row: Any, negated: bool, name: str, place: int) -> SqlCondition:
        column = getattr(row, name)
        day = func.substr(column, literal_column("6"), literal_column("5"), type_=Text())
        listed = any_of(day, f"f{place}")
        return _or_empty(column, not_(listed)) if negated else listed

    # ── what is related ───────────────────────────────────────────────────────────────────────────────────────────────

    def _one(self, row: Any, negated: bool, name: str, shape: FilterNode, of_nothing: bool) -> SqlCondition:
        relation = RELATIONS[name]
        if negated:
            shape, of_nothing = negate(shape), not of_nothing
        if relation.where is None and own_columns(shape) <= {"id"}:
            # A foreign key guarantees that the record exists if the id is set.
            return self.compile(shape, SimpleNamespace(id=getattr(row, relation.own_column)))
        if of_nothing:
            return not_(self._exists(relation, row, negate(shape)))
        return self._found(relation, row, shape)

    def _some(self, row: Any, negated: bool, name: str, shape: FilterNode) -> SqlCondition:
        relation = RELATIONS[name]
        return not_(self._exists(relation, row, shape)) if negated else self._found(relation, row, shape)

    def _count(self, row: Any, negated: bool, name: str, operator: str, place: int, shape: FilterNode) -> SqlCondition:
        relation = RELATIONS[name]
        found, _ = self._related(relation, row, shape, func.count())
        number = found.scalar_subquery()
        if operator == "in":
            listed = any_of(number, f"f{place}", kind=BigInteger())
            return not_(listed) if negated else listed
        return _compared(number, _INVERSE[operator] if negated else operator, place)

    def _covers(self, row: Any, negated: bool, name: str, column: str, values: int, count: int) -> SqlCondition:
        relation = RELATIONS[name]
        link = aliased(relation.link)
        one = getattr(link, str(relation.link_column))
        found = select(func.count(distinct(one))).where(
            in_workspace(link),
            getattr(link, relation.target_column) == getattr(row, relation.own_column),
            any_of(one, f"f{values}"),
        )
        return _compared(found.scalar_subquery(), "<>" if negated else "=", count)

    def _found(self, relation: Relation, row: Any, shape: FilterNode) -> SqlCondition:
        """EXISTS, which PostgreSQL converts into a suitable join. SQLite works row by row, so few related rows are
        given as a list to start with; not for one branch of an OR, where SQLite has started with another index."""
        rows = self._walking or (self._choosing and self._begun)
        if not self.sqlite or rows or relation.where is not None or not is_selective(shape):
            return self._exists(relation, row, shape)
        found, far = self._related(relation, None, shape, None)
        says: SqlCondition = getattr(row, relation.own_column).in_(found.with_only_columns(far))
        return says

    def _exists(self, relation: Relation, row: Any, shape: FilterNode) -> SqlCondition:
        found, _ = self._related(relation, row, shape, _ONE)
        if self._walking and self._choosing and not self.sqlite:
            # PostgreSQL would first collect all related rows of all records, although a page needs only a few.
            found = found.offset(_NONE_LEFT_OUT)
        return found.exists()

    def _related(self, relation: Relation, row: Any, shape: FilterNode, wanted: Any) -> tuple[Select[Any], Any]:
        """The related rows, of `row` or of any row, and the column that equals `row`'s column."""
        target, link = aliased(relation.target), aliased(relation.link) if relation.link else None
        first = target if link is None else link
        far = getattr(first, relation.target_column)
        conditions = [in_workspace(first)]
        if row is not None:
            conditions.append(far == getattr(row, relation.own_column))
            if relation.where:
                name, value = relation.where
                conditions.append(getattr(row, name) == literal_column(str(value)))
        found = select(far if wanted is None else wanted).select_from(first)
        there: Any = target if row is None or not self.sqlite else WithoutIndex(target)
        if link is not None:
            key = getattr(link, str(relation.link_column))
            if relation.visible_only or not own_columns(shape) <= {"id"}:
                found = found.join(target, target.id == key)
                conditions.append(in_workspace(target))
            else:
                # A single value is the last part of the key.
                passed = row is not None and self.sqlite and shape[:3] != ("compare", "id", "=")
                there = SimpleNamespace(id=without_index(key) if passed else key)
        if relation.visible_only:
            conditions += [target.archived_at.is_(None), visible_to(self.sees_all, target)]
        return found.where(*conditions, *([] if shape == TRUE else [self.compile(shape, there)])), far


def _elsewhere(shape: FilterNode) -> bool:
    """Whether the condition needs rows other than the row itself."""
    if shape[0] in ("and", "or", "not"):
        return any(map(_elsewhere, shape[1:]))
    return shape[0] in ("one", "some", "count", "covers")


def _compared(column: Any, operator: str, place: int) -> SqlCondition:
    says: SqlCondition = column.bool_op(operator)(bindparam(f"f{place}", type_=_type(column)))
    return says


def _type(column: Any) -> Any:
    """Small columns are compared with any integer: a value out of their range is no error."""
    return BigInteger() if isinstance(column.type, SmallInteger | Integer) else column.type


def _or_empty(column: Any, says: SqlCondition, said: Any = None) -> SqlCondition:
    """`said` is the column as written in `says`, if the two differ."""
    return or_((column if said is None else said).is_(None), says) if _nullable(column) else says


def _nullable(column: Any) -> bool:
    described = getattr(column, "property", None)
    return described is None or bool(described.columns[0].nullable)


# Leading columns of indexes that never find few rows by themselves.
_WEAK = frozenset({"field_id", "system", "kind"})


# Columns of custom values. Each follows its field in an index, which supports ranges.
_RANGED = frozenset({"number", "date", "date_time", "text_key"})


def is_selective(shape: FilterNode) -> bool:
    """Whether an index may find few rows for the condition, as far as this can be known without reading."""
    kind = shape[0]
    if kind == "and":
        return any(is_selective(one) for one in shape[1:])
    if kind == "or":
        return all(is_selective(one) for one in shape[1:])
    if kind == "compare":
        return shape[1] in _RANGED or (shape[2] == "=" and shape[1] not in _WEAK)
    if kind == "between":
        return shape[1] in _RANGED
    return kind in ("equal", "among", "among_folded") and shape[1] not in _WEAK


@lru_cache
def _leading(relation: str) -> Any:
    """Cached: the result is the same object for equal arguments, because SQLAlchemy caches by identity."""
    found = RELATIONS[relation]
    return aliased(found.link or found.target, name="leading")


def linked_ids(relation: str) -> Any:
    """The ids of the rows that `select_from_relation` looks up, as stored in the related rows."""
    return getattr(_leading(relation), RELATIONS[relation].target_column)


# Columns with few distinct values, which are no better start than the list.
_FEW = frozenset({"relationship_status", "subscription_status", "stage", "verification", "gender"})


def leading_relation(shape: FilterNode) -> tuple[str, FilterNode, FilterNode] | None:
    """The relation that a list in id order should follow, the condition on the related rows, and the rest. None if
    there is none, or if an index of another condition may find fewer rows."""
    parts = conjuncts(shape)
    chosen = [one for one in parts if _begins(one)]
    if len(chosen) != 1 or chosen[0][0] != "some" or not _single(*chosen[0][1:]):
        return None
    return chosen[0][1], chosen[0][2], conjunction(one for one in parts if one is not chosen[0])


def _begins(shape: FilterNode) -> bool:
    """Whether an index of the condition may find fewer rows than the list has."""
    if shape[0] == "or":
        return all(map(_begins, shape[1:]))
    if shape[0] == "and":
        return any(map(_begins, shape[1:]))
    if shape[0] in ("some", "one"):
        return is_selective(shape[2])
    return is_selective(shape) and not own_columns(shape) <= _FEW


def _single(relation: str, shape: FilterNode) -> bool:
    """Whether the related rows are one range of an index in the order of their customers."""
    if not _once(relation, shape):
        return False
    asked = [one for one in conjuncts(shape) if one[:3] != ("compare", "field_id", "=")]
    return len(asked) == 1 and (asked[0][0] == "equal" or (asked[0][0] == "compare" and asked[0][2] == "="))


_SINGLE = frozenset({"text", "text_key", "text_folded", "number", "boolean", "date", "date_time"})


def _once(relation: str, shape: FilterNode) -> bool:
    """Whether at most one related row can match: by its key, or as the only value of a custom field."""
    if relation == "tags":
        return shape[:3] == ("compare", "id", "=")
    if relation == "members":
        return shape[:3] == ("compare", "segment_id", "=")
    if relation not in ("customerValue", "companyValue") or shape[0] != "and":
        return False
    return all(
        own_columns(one) <= _SINGLE or one[:3] in (("compare", "field_id", "="), ("compare", "option", "="))
        for one in shape[1:]
    )
