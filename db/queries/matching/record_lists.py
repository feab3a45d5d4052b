"""Lists of what there is one table of: companies, tags, segments, agents. Filtered, searched by name, sorted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select

from db import tables
from db.engine import Session
from db.filtering import fields
from db.filtering.compiler import Writer
from db.filtering.errors import too_many
from db.filtering.fields import Asked
from db.filtering.filter_ast import TRUE, either, every
from db.filtering.operators import holding
from db.filtering.parser import Condition, Reader
from db.filtering.search import LONGEST
from db.paging.keyset import Listing
from db.paging.sorting import AGENTS, COMPANIES, SEGMENTS, TAGS, Sort, sort
from db.queries.matching import filter_contexts
from db.statements import in_workspace
from db.values.folding import fold
from db.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Kind:
    """How records of a table are asked for; a search looks for each word in one of the columns `searched`."""

    table: Any
    asked: Asked
    sorts: Mapping[str, Any]
    searched: tuple[str, ...]


KINDS: Final = {
    "companies": Kind(tables.Company, fields.companies, COMPANIES, ("name_key", "domain_key")),
    "tags": Kind(tables.Tag, fields.tags, TAGS, ("name_key",)),
    "segments": Kind(tables.Segment, fields.segments, SEGMENTS, ("name_key",)),
    "agents": Kind(tables.Agent, fields.agents, AGENTS, ("name_key", "email_key")),
}


async def asked(
    session: Session,
    name: str,
    *,
    filter: Any,
    search: str | None,
    order: Any,
    visibility: Visibility,
    agent_id: bytes | None,
    now: int,
) -> tuple[Listing, Sort]:
    """The records to take a page of or to count, and their order. Raises QueryError."""
    kind = KINDS[name]
    known = await filter_contexts.of(session, [filter, order], now=now, agent_id=agent_id, visibility=visibility)
    reader = Reader(known)
    shape = TRUE if filter is None else kind.asked(reader, filter, ("filter",))
    shape = every([shape, _searched(reader, kind, search)])
    condition = Condition(shape, tuple(reader.values))

    def build(dialect: str) -> Select[Any]:
        found = select(kind.table).where(in_workspace(kind.table))
        if shape == TRUE:
            return found
        return found.where(Writer(dialect, sees_all=visibility.sees_all).says(shape, kind.table))

    values = {**condition.bound, **visibility.parameters()}
    listing = Listing((name, shape, visibility.sees_all), build, kind.table, visibility.sees_all, values)
    return listing, sort(order, kind.sorts, known)


def _searched(reader: Reader, kind: Kind, search: str | None) -> Any:
    if search is None:
        return TRUE
    if len(search) > LONGEST:
        raise too_many(f"A search has at most {LONGEST} characters, not {len(search)}.", ("search",), LONGEST)
    words = dict.fromkeys(fold(search).split())
    return every(either(holding(reader, column, word) for column in kind.searched) for word in words)
