"""Lists of companies, tags, segments and agents: filtered, searched by name, sorted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select

from db import tables
from db.engine import Session
from db.filtering import fields
from db.filtering.compiler import ConditionCompiler
from db.filtering.errors import limit_exceeded
from db.filtering.fields import ParseField
from db.filtering.filter_ast import TRUE, conjunction, disjunction
from db.filtering.operators import contains_node
from db.filtering.parser import FilterParser, ParsedFilter
from db.filtering.search import MAX_SEARCH_LENGTH
from db.paging.keyset import ListQuery
from db.paging.sorting import AGENT_SORTS, COMPANY_SORTS, SEGMENT_SORTS, TAG_SORTS, Sort, parse_sort
from db.queries.matching import filter_contexts
from db.statements import in_workspace
from db.values.folding import fold
from db.visibility import Visibility


@dataclass(frozen=True, slots=True)
class RecordList:
    """The filter, sorts and searched columns of a table."""

    table: Any
    asked: ParseField
    sorts: Mapping[str, Any]
    searched: tuple[str, ...]


RECORD_LISTS: Final = {
    "companies": RecordList(tables.Company, fields.parse_company_filter, COMPANY_SORTS, ("name_key", "domain_key")),
    "tags": RecordList(tables.Tag, fields.parse_tag_filter, TAG_SORTS, ("name_key",)),
    "segments": RecordList(tables.Segment, fields.parse_segment_filter, SEGMENT_SORTS, ("name_key",)),
    "agents": RecordList(tables.Agent, fields.parse_agent_filter, AGENT_SORTS, ("name_key", "email_key")),
}


async def compile_list(
    session: Session,
    name: str,
    *,
    filter: Any,
    search: str | None,
    order: Any,
    visibility: Visibility,
    agent_id: bytes | None,
    now: int,
) -> tuple[ListQuery, Sort]:
    """The list query and its order. Raises QueryError."""
    kind = RECORD_LISTS[name]
    known = await filter_contexts.load_filter_context(
        session, [filter, order], now=now, agent_id=agent_id, visibility=visibility
    )
    reader = fields.create_parser(known)
    shape = TRUE if filter is None else kind.asked(reader, filter, ("filter",))
    shape = conjunction([shape, _searched(reader, kind, search)])
    condition = ParsedFilter(shape, tuple(reader.values))

    def build(dialect: str) -> Select[Any]:
        found = select(kind.table).where(in_workspace(kind.table))
        if shape == TRUE:
            return found
        return found.where(ConditionCompiler(dialect, sees_all=visibility.sees_all).compile(shape, kind.table))

    values = {**condition.parameters, **visibility.parameters()}
    listing = ListQuery((name, shape, visibility.sees_all), build, kind.table, visibility.sees_all, values)
    return listing, parse_sort(order, kind.sorts, known)


def _searched(reader: FilterParser, kind: RecordList, search: str | None) -> Any:
    if search is None:
        return TRUE
    if len(search) > MAX_SEARCH_LENGTH:
        raise limit_exceeded(
            f"A search has at most {MAX_SEARCH_LENGTH} characters, not {len(search)}.", ("search",), MAX_SEARCH_LENGTH
        )
    words = dict.fromkeys(fold(search).split())
    return conjunction(disjunction(contains_node(reader, column, word) for column in kind.searched) for word in words)
