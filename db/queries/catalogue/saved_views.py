"""Saved views and their customers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, or_
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.filtering import fields
from db.filtering import search as searching
from db.filtering.filter_ast import TRUE, conjunction
from db.filtering.parser import ParsedFilter
from db.paging.sorting import CUSTOMER_SORTS, Relevance, Sort, parse_sort
from db.queries.matching import filter_contexts, matches
from db.queries.matching.batched_matches import MatchBatch
from db.queries.matching.matches import CustomerQuery
from db.statements import any_of, in_workspace, prepare
from db.tables.column_types import Id
from db.values.folding import fold
from db.visibility import Visibility

_OWN_OR_SHARED = or_(
    col(tables.SavedView.owner_id) == bindparam("agent_id", type_=Id),
    col(tables.SavedView.shared).is_(True),
)
_VISIBLE = prepare(
    select(tables.SavedView)
    .where(in_workspace(tables.SavedView), _OWN_OR_SHARED)
    .order_by(col(tables.SavedView.position), col(tables.SavedView.id))
)
_BY_IDS = prepare(
    select(tables.SavedView).where(in_workspace(tables.SavedView), any_of(tables.SavedView.id, "ids"), _OWN_OR_SHARED)
)


async def visible_views(session: Session, agent_id: bytes | None, search: str | None) -> list[tables.SavedView]:
    """The agent's own views, then shared views, each sorted by position. An API key sees shared views."""
    rows = await session.fetch_all(_VISIBLE, agent_id=agent_id)
    words = fold(search or "").split()
    found = [row for row in rows if all(word in row.name_key for word in words)]
    return sorted(found, key=lambda row: row.owner_id is None or row.owner_id != agent_id)


async def by_ids(session: Session, ids: Sequence[bytes], agent_id: bytes | None) -> Mapping[bytes, tables.SavedView]:
    """The views that the agent can see."""
    return {row.id: row for row in await session.fetch_all(_BY_IDS, ids=ids, agent_id=agent_id)}


async def view_queries(
    session: Session,
    views: Sequence[Any],
    question: CustomerQuery,
    *,
    visibility: Visibility,
    agent_id: bytes | None,
    now: int,
) -> tuple[MatchBatch, Mapping[bytes, Sort]]:
    """The customers of each view that also match the query, with the order of each view: the query's, or else its own.
    All are read together. Raises QueryError."""
    plains = [question.filter, question.sort, *(view.filter for view in views), *(view.sort for view in views)]
    known = await filter_contexts.load_filter_context(
        session, plains, now=now, agent_id=agent_id, visibility=visibility
    )
    reader = fields.create_parser(known)
    match, _ = matches.compile_with_parser(reader, replace(question, sort=None))
    shapes, searches, orders = {}, {}, {}
    for place, view in enumerate(views):
        counts = reader.begin_stored_filter()
        reader.expanded = 0
        own = TRUE if view.filter is None else fields.parse_customer_filter(reader, view.filter, ("view", "filter"))
        reader.end_stored_filter(counts)
        shapes[view.id] = conjunction([own, match.parsed_filter.node])
        found = searches[view.id] = searching.combine_searches(
            searching.parse_search(view.search), match.search, f"v{place}_"
        )
        relevance = None if found is None else Relevance(found.cache_key, found)
        orders[view.id] = parse_sort(question.sort or view.sort, CUSTOMER_SORTS, known, relevance=relevance)
    values = tuple(reader.values)
    return (
        MatchBatch(
            {
                one: replace(match, parsed_filter=ParsedFilter(shape, values), search=searches[one])
                for one, shape in shapes.items()
            }
        ),
        orders,
    )


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_EVERY = prepare(select(tables.SavedView).where(in_workspace(tables.SavedView)))
_LOCKED = prepare(
    select(tables.SavedView)
    .where(in_workspace(tables.SavedView), col(tables.SavedView.id) == bindparam("view_id"))
    .with_for_update()
)


async def all_views(session: Session) -> list[Any]:
    """The views by id, regardless of their owner."""
    return await session.fetch_all(_EVERY)


async def lock_by_ids(transaction: Transaction, view_id: bytes) -> Any:
    """Locks the view until the end of the transaction."""
    return await transaction.fetch_first(_LOCKED, view_id=view_id)
