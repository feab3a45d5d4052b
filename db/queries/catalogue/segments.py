"""Segments."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from db import tables
from db.engine import Session, Transaction
from db.filtering import fields
from db.filtering.filter_ast import conjunction
from db.filtering.parser import ParsedFilter
from db.filtering.segments import member_of
from db.paging.sorting import Sort
from db.queries.matching import filter_contexts, matches
from db.queries.matching.batched_matches import MatchBatch
from db.queries.matching.matches import CustomerQuery
from db.statements import any_of, in_workspace, prepare
from db.visibility import Visibility

_BY_IDS = prepare(select(tables.Segment).where(in_workspace(tables.Segment), any_of(tables.Segment.id, "ids")))
_NAMES = prepare(
    select(tables.Segment.id)
    .where(in_workspace(tables.Segment))
    .order_by(col(tables.Segment.name_key), col(tables.Segment.id))
)


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Segment]:
    return {row.id: row for row in await session.fetch_pruned(_BY_IDS, ids=ids)}


async def segment_queries(
    session: Session,
    ids: Sequence[bytes],
    question: CustomerQuery,
    *,
    visibility: Visibility,
    agent_id: bytes | None,
    now: int,
) -> tuple[MatchBatch, Sort]:
    """The members of each segment that also match the query. All are read together. Raises QueryError."""
    plains = [question.filter, question.sort, {"segments": None}]
    known = await filter_contexts.load_filter_context(
        session, plains, now=now, agent_id=agent_id, visibility=visibility
    )
    reader = fields.create_parser(known)
    match, order = matches.compile_with_parser(reader, question)
    shapes = {}
    for one in ids:
        counts = reader.begin_stored_filter()
        reader.expanded = 0
        shapes[one] = conjunction([member_of(reader, one, ("segment",)), match.parsed_filter.node])
        reader.end_stored_filter(counts)
    values = tuple(reader.values)
    found = {one: replace(match, parsed_filter=ParsedFilter(shape, values)) for one, shape in shapes.items()}
    return MatchBatch(found), order


async def all_ids(session: Session) -> list[bytes]:
    """The ids of all segments, sorted by name."""
    return [row.id for row in await session.fetch_all(_NAMES)]


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCKED = prepare(
    select(tables.Segment)
    .where(in_workspace(tables.Segment), any_of(tables.Segment.id, "ids"))
    .order_by(col(tables.Segment.id))
    .with_for_update()
)
_STORED = [
    prepare(select(table.id, table.name, table.filter).where(in_workspace(table), col(table.filter).is_not(None)))
    for table in (tables.Segment, tables.SavedView, tables.AssignmentRule)
]


async def lock_by_ids(transaction: Transaction, ids: Sequence[bytes]) -> Mapping[bytes, tables.Segment]:
    """Locks the segment until the end of the transaction."""
    return {row.id: row for row in await transaction.fetch_all(_LOCKED, ids=ids)}


async def stored_filters(session: Session) -> list[Any]:
    """Every stored filter with the name and id of its record."""
    return [row for statement in _STORED for row in await session.fetch_all(statement)]


_MEMBERS_AMONG = prepare(
    select(tables.SegmentMember.customer_id).where(
        in_workspace(tables.SegmentMember),
        col(tables.SegmentMember.segment_id) == bindparam("segment_id"),
        any_of(tables.SegmentMember.customer_id, "ids"),
    )
)


async def member_ids_among(session: Session, segment_id: bytes, ids: Sequence[bytes]) -> frozenset[bytes]:
    """The given customers that are members of the static segment."""
    if not ids:
        return frozenset()
    rows = await session.fetch_all(_MEMBERS_AMONG, segment_id=segment_id, ids=ids)
    return frozenset(row.customer_id for row in rows)
