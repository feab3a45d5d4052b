"""Compiles customer queries: filter, search, archive scope and visibility, the same for lists, totals and groups."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, any_, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from db import tables
from db.engine import Session
from db.filtering import fields
from db.filtering import search as searching
from db.filtering.compiler import ConditionCompiler, is_selective, leading_relation, linked_ids
from db.filtering.errors import Path
from db.filtering.filter_ast import TRUE, FilterNode, conjunction
from db.filtering.filter_context import FilterContext
from db.filtering.parser import FilterParser, ParsedFilter
from db.filtering.search import Search
from db.filtering.sqlite_hints import without_index
from db.paging.keyset import ListQuery, ListQueryKey
from db.paging.sorting import CUSTOMER_SORTS, NEWEST_FIRST, ColumnExpression, Relevance, Sort, SortKey, parse_sort
from db.queries import workspaces
from db.queries.matching import filter_contexts
from db.statements import DialectStatement, PreparedStatement, any_of, in_workspace
from db.values.hashed_key import HashedKey
from db.visibility import Visibility, visible_to

# Rows of a sample, and matches after which it stops. The sample tells whether a query matches few or many rows. SQLite
# plans without statistics and needs larger samples.
_SAMPLE: Mapping[str, int] = {"postgresql": 64, "sqlite": 1_000}
_MANY: Mapping[str, int] = {"postgresql": 3, "sqlite": 4}
_KEPT = 500
# Seconds for which a sample is valid. The share of matching rows changes slowly, and every plan is correct.
_BELIEVED = 10.0
# Bytes.
_LONGEST = 2_000


@dataclass(slots=True)
class CustomerQuery:
    """A client's query of customers as JSON. `more` are the filters of the surrounding segment or view, each with the
    path for errors. The field names are stored with jobs."""

    filter: Any = None
    search: str | None = None
    sections: Sequence[str] | None = None
    sort: Any = None
    archived: str = "EXCLUDE"
    more: tuple[tuple[Any, Path], ...] = ()

    @property
    def stored_form(self) -> dict[str, Any]:
        """The query as it is stored; `from_stored_form` reads it."""
        return {**asdict(self), "more": [[plain, list(path)] for plain, path in self.more]}

    @classmethod
    def from_stored_form(cls, plain: Mapping[str, Any]) -> "CustomerQuery":
        return cls(**{**plain, "more": tuple((one, tuple(path)) for one, path in plain["more"])})


@dataclass(frozen=True, slots=True)
class CustomerMatch:
    """A compiled query of customers."""

    visibility: Visibility
    parsed_filter: ParsedFilter = ParsedFilter(TRUE)  # noqa: RUF009 - it never changes.
    archived: str = "EXCLUDE"
    search: Search | None = None
    key: HashedKey = field(init=False, compare=False, repr=False)
    """Equal for equal SQL."""
    page_choices: dict[Any, tuple[bool, float]] = field(default_factory=dict, compare=False, repr=False)
    """The plan of its pages by order, with the time until which the choice is valid."""
    _bound: dict[str, Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parts = self.parsed_filter.node, self.archived, self.visibility.sees_all, self.search and self.search.cache_key
        object.__setattr__(self, "key", HashedKey(parts))
        object.__setattr__(self, "_bound", {**self.parsed_filter.parameters, **self.visibility.parameters()})

    @property
    def matches_all(self) -> bool:
        """Whether it matches all customers that are visible and in the archive scope."""
        return self.parsed_filter.node == TRUE and self.search is None

    @property
    def is_whole_list(self) -> bool:
        """Whether it matches all customers that are not archived."""
        return self.matches_all and self.visibility.sees_all and self.archived == "EXCLUDE"

    def parameters(self, workspace_id: int | None) -> dict[str, Any]:
        """Do not modify: the same object is returned each time."""
        return self._bound if self.search is None else {**self._bound, **self.search.parameters(workspace_id or 0)}

    def where(self, dialect: str, row: Any, *, indexed: bool = True, paged: bool = False) -> list[ColumnElement[bool]]:
        """The conditions on a row of customers. `indexed`: start with an index instead of the list. `paged`: for a page
        in list order."""
        writer = ConditionCompiler(dialect, sees_all=self.visibility.sees_all, walking=not indexed)
        found = [in_workspace(row)]
        if not self.visibility.sees_all:
            found.append(visible_to(False, row))
        if self.archived != "INCLUDE":
            archived_at = row.archived_at
            if self.archived == "ONLY":
                found.append(archived_at.is_not(None))
            else:
                found.append((without_index(archived_at) if paged and writer.sqlite else archived_at).is_(None))
        if self.parsed_filter.node != TRUE:
            found.append(writer.compile(self.parsed_filter.node, row))
        if self.search is not None:
            found.append(_searched(self.search, writer, dialect, row, indexed and bool(self.search.indexed)))
        return found


def _searched(found: Search, writer: ConditionCompiler, dialect: str, row: Any, indexed: bool) -> ColumnElement[bool]:
    if not indexed:
        return searching.without_index(found, writer, row)
    ids = searching.ids_by_index(found, writer, dialect)
    if dialect == "sqlite":
        return row.id.in_(ids)  # type: ignore[no-any-return] # a column of any table
    # PostgreSQL evaluates an array first; for a join it would guess the number of rows.
    return row.id == any_(func.array(ids.scalar_subquery()))  # type: ignore[no-any-return] # as above


async def compile_query(
    session: Session, question: CustomerQuery, *, visibility: Visibility, agent_id: bytes | None, now: int
) -> tuple[CustomerMatch, Sort]:
    """Compiles the query for this workspace, viewer and time. Raises QueryError."""
    match, order = found = await _read(session, question, visibility=visibility, agent_id=agent_id, now=now)
    if match.search is None or session.dialect.name != "sqlite":
        return found
    alone = await workspaces.is_only_workspace(session)
    return replace(match, search=replace(match.search, is_only_workspace=alone)), order


async def _read(
    session: Session, question: CustomerQuery, *, visibility: Visibility, agent_id: bytes | None, now: int
) -> tuple[CustomerMatch, Sort]:
    words = _words(question, visibility, agent_id)
    compiled = session.database.component(_CompiledQueries)
    earlier = compiled.get(words) if words else None
    if earlier is not None and earlier.lasting and await filter_contexts.is_current(session, earlier.rows):
        return earlier.found
    plains = [question.filter, question.sort, *(plain for plain, _ in question.more)]
    known = await filter_contexts.load_filter_context(
        session, plains, now=now, agent_id=agent_id, visibility=visibility
    )
    match, order = found = compile_with_context(question, known)
    if earlier is not None:
        # The meaning may have changed, but the choice of plans stays useful.
        found = replace(match, page_choices=earlier.found[0].page_choices), order
    if words:
        _keep(compiled, words, _Reading(found, known.is_lasting, known.field_rows))
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """A compiled query, cached because clients repeat queries. If it is `lasting`, it is valid while the custom fields
    are the `rows` it was parsed with."""

    found: tuple[CustomerMatch, Sort]
    lasting: bool
    rows: Sequence[Any] | None


class _CompiledQueries(dict[Any, _Reading]):
    """The recently compiled queries by text and visibility, oldest first."""


def _keep(compiled: _CompiledQueries, words: Any, reading: _Reading) -> None:
    """Adds a query and removes the oldest one if there are too many."""
    compiled.pop(words, None)
    compiled[words] = reading
    if len(compiled) > _KEPT:
        del compiled[next(iter(compiled))]


def _words(question: CustomerQuery, visibility: Visibility, agent_id: bytes | None) -> tuple[Any, ...] | None:
    """The cache key of a query and its visibility; None if it should not be cached."""
    if question.more:
        return None
    try:
        plain = (question.filter, question.search, question.sections, question.sort, question.archived)
        said = orjson.dumps(plain)
    except TypeError:
        return None
    return (said, visibility, agent_id) if len(said) <= _LONGEST else None


def compile_with_context(question: CustomerQuery, known: FilterContext) -> tuple[CustomerMatch, Sort]:
    """Compiles the query with a context that is already loaded."""
    return compile_with_parser(fields.create_parser(known), question)


def compile_with_parser(reader: FilterParser, question: CustomerQuery) -> tuple[CustomerMatch, Sort]:
    """Compiles the query with a parser that other queries share, so all parameters are in one list."""
    known = reader.context
    shapes = [TRUE if question.filter is None else fields.parse_customer_filter(reader, question.filter, ("filter",))]
    for plain, path in question.more:
        counts = reader.begin_stored_filter()
        shapes.append(fields.parse_customer_filter(reader, plain, path))
        reader.end_stored_filter(counts)
    condition = ParsedFilter(conjunction(shapes), tuple(reader.values))
    search = searching.parse_search(question.search, question.sections)
    relevance = None if search is None else Relevance(search.cache_key, search)
    order = (
        NEWEST_FIRST if question.sort is None else parse_sort(question.sort, CUSTOMER_SORTS, known, relevance=relevance)
    )
    return CustomerMatch(known.visibility, condition, question.archived, search), order


async def page_list_query(session: Session, match: CustomerMatch, order: Sort = NEWEST_FIRST) -> ListQuery:
    """The list query for a page in that order."""
    return full_list_query(session, match, indexed=await starts_with_index(session, match, order), paged=True)


async def root_list_query(session: Session, match: CustomerMatch, order: Sort) -> ListQuery:
    """The list query for a page of a root list, which is not combined with other lists."""
    if session.dialect.name != "sqlite" or order.keys or match.search or match.archived == "ONLY":
        return await page_list_query(session, match, order)
    found = leading_relation(match.parsed_filter.node) if match.visibility.sees_all else None
    return await page_list_query(session, match, order) if found is None else _led(session, match, *found)


def _led(session: Session, match: CustomerMatch, relation: str, asked: FilterNode, rest: FilterNode) -> ListQuery:
    """SQLite would collect and sort all related rows, or scan the list for them."""

    def build(dialect: str) -> Select[Any]:
        begun = ConditionCompiler(dialect, sees_all=True).select_from_relation(tables.Customer, relation, asked)
        left = replace(match, parsed_filter=ParsedFilter(rest))
        return select(tables.Customer).select_from(begun).where(*left.where(dialect, tables.Customer, paged=True))

    key = ("customers along", match.key)
    return ListQuery(key, build, tables.Customer, True, match.parameters(session.workspace_id), linked_ids(relation))


def full_list_query(session: Session, match: CustomerMatch, *, indexed: bool = True, paged: bool = False) -> ListQuery:
    """The list query for counts and for operations on all customers."""

    def build(dialect: str) -> Select[Any]:
        found, rest = select(tables.Customer), match
        if indexed and dialect == "postgresql" and match.parsed_filter.node != TRUE:
            writer = ConditionCompiler(dialect, sees_all=match.visibility.sees_all)
            found, shape = writer.join_relations(found, tables.Customer, match.parsed_filter.node)
            rest = replace(match, parsed_filter=ParsedFilter(shape))
        return found.where(*rest.where(dialect, tables.Customer, indexed=indexed, paged=paged))

    key = ("customers", match.key, indexed, paged)
    return ListQuery(key, build, tables.Customer, match.visibility.sees_all, match.parameters(session.workspace_id))


async def starts_with_index(session: Session, match: CustomerMatch, order: Sort) -> bool:
    """Whether a page in that order is read fastest from an index of the condition. If many of the first customers
    match, scanning the list is faster."""
    if any(isinstance(key.expression, Relevance) for key in order.keys):
        return True
    sample = sample_query(session.dialect.name, match, order)
    if sample is None:
        return match.search is None
    place = (session.workspace_id, sample.key)
    indexed, until = match.page_choices.get(place, (False, 0.0))
    if time.monotonic() > until:
        statement = _sample_statement(session, sample)
        found = await session.fetch_all(statement, **match.parameters(session.workspace_id))
        indexed = is_rare(session.dialect.name, found[0].count)
        if len(match.page_choices) >= _KEPT:
            match.page_choices.clear()
        match.page_choices[place] = (indexed, time.monotonic() + _BELIEVED)
    return indexed


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """A SELECT that counts matches among the first customers in order; `key` is equal for equal SQL."""

    key: Any
    build: Callable[[str], Select[Any]]


def is_rare(dialect: str, count: int) -> bool:
    """Whether so few rows of a sample match that an index of the condition is faster."""
    return count < _MANY[dialect]


def sample_query(dialect: str, match: CustomerMatch, order: Sort) -> SampleQuery | None:
    """The sample query; None if there is no choice. PostgreSQL has statistics and needs samples only for searches and
    for relations inside OR."""
    searching_ = match.search is not None and bool(match.search.indexed)
    narrow = _narrow if dialect == "sqlite" else _chosen
    if (dialect == "sqlite" and searching_) or (match.search is None and narrow(match.parsed_filter.node)):
        first = order.keys[0] if order.keys and isinstance(order.keys[0].expression, ColumnExpression) else None
        key = ("match", match.key, first and (first.expression, first.descending))
        return SampleQuery(key, lambda dialect: _first_customers(match, first, dialect))
    if searching_ and match.search is not None:
        search = match.search
        return SampleQuery(("search", search.cache_key), lambda dialect: _newest_documents(search, dialect))
    return None


def _narrow(shape: FilterNode) -> bool:
    """Whether the condition has a relation whose index may find few rows, or a range, which may match half of the
    customers."""
    if shape[0] in ("and", "or", "not"):
        return any(_narrow(one) for one in shape[1:])
    if shape[0] in ("compare", "between"):
        return bool(shape[1] != "id" and shape[2] != "=")
    return shape[0] in ("some", "one") and is_selective(shape[2])


def _chosen(shape: FilterNode, choosing: bool = False, negated: bool = False) -> bool:
    """Whether a relation is one branch of an OR; PostgreSQL would collect all of its rows."""
    kind = shape[0]
    if kind == "not":
        return _chosen(shape[1], choosing, not negated)
    if kind in ("and", "or"):
        choosing = choosing or (kind == "or") is not negated
        return any(_chosen(one, choosing, negated) for one in shape[1:])
    return choosing and kind in ("some", "one")


def _newest_documents(found: Search, dialect: str) -> Select[Any]:
    newest = (
        select(col(tables.CustomerSearch.text))
        .where(in_workspace(tables.CustomerSearch))
        .order_by(col(tables.CustomerSearch.customer_id).desc())
        .limit(_few(_SAMPLE[dialect]))
        .subquery()
    )
    says = searching.matches_search(found, ConditionCompiler(dialect, sees_all=True), newest.c.text)
    return _counted(select(newest.c.text).where(says), dialect)


def _first_customers(match: CustomerMatch, key: SortKey | None, dialect: str) -> Select[Any]:
    """The newest customers, or the first by one of their columns."""
    table = tables.Customer
    first, down = select(table).where(in_workspace(table)), key is None or key.descending
    if key is not None:
        first, column = key.expression.present(first, table, 0, ConditionCompiler(dialect, sees_all=True), down=down)
        first = first.order_by(column.desc() if down else column.asc())
    identifier = col(table.id)
    first = first.order_by(identifier.desc() if down else identifier.asc()).limit(_few(_SAMPLE[dialect]))
    row: Any = aliased(table, first.subquery())
    return _counted(select(row.id).where(*match.where(dialect, row, indexed=False)), dialect)


def _counted(fitting: Select[Any], dialect: str) -> Select[Any]:
    """The number of matches, at most _MANY; then the scan stops."""
    return select(func.count().label("count")).select_from(fitting.limit(_few(_MANY[dialect])).subquery())


def _few(number: int) -> Any:
    return literal_column(str(number))


class _SampleStatements(dict[Any, PreparedStatement[Any]]):
    """The statements of samples, by key."""


def _sample_statement(session: Session, sample: SampleQuery) -> PreparedStatement[Any]:
    statements = session.database.component(_SampleStatements)
    found = statements.get(sample.key)
    if found is None:
        if len(statements) >= _KEPT:
            statements.clear()
        found = statements[sample.key] = DialectStatement(sample.build)
    return found


async def matching_ids(session: Session, match: CustomerMatch, ids: Sequence[bytes]) -> frozenset[bytes]:
    """The ids among these that match."""
    statement = _among_ids(ListQueryKey(full_list_query(session, match, indexed=False)))
    found = await session.fetch_all(statement, among_ids=ids, **match.parameters(session.workspace_id))
    return frozenset(row.id for row in found)


@lru_cache(maxsize=200)
def _among_ids(kept: ListQueryKey) -> PreparedStatement[Any]:
    def build(dialect: str) -> Select[Any]:
        return kept.listing.build(dialect).where(any_of(tables.Customer.id, "among_ids")).with_only_columns(
            col(tables.Customer.id)
        )  # fmt: skip

    return DialectStatement(build)
