"""Notes, interactions and orders of customers, a page of each for many customers at once."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, true
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.filtering import fields
from db.filtering.compiler import ConditionCompiler
from db.filtering.fields import ParseField
from db.filtering.filter_ast import TRUE
from db.filtering.parser import ParsedFilter
from db.paging.keyset import ListQuery
from db.paging.nested_pages import ParentTable
from db.paging.sorting import NEWEST_FIRST, ColumnExpression, Sort, SortKey
from db.queries.matching import filter_contexts
from db.statements import PreparedStatement, any_of, group_rows, in_workspace, prepare
from db.visibility import Visibility, visible_to

Activity = type[tables.Note] | type[tables.Interaction] | type[tables.Order]

# The filter and sort of each type, newest first; the id breaks ties.
_KINDS: dict[Activity, tuple[ParseField, Sort]] = {
    tables.Note: (fields.parse_note_filter, NEWEST_FIRST),
    tables.Interaction: (
        fields.parse_interaction_filter,
        Sort((SortKey(ColumnExpression("occurred_at", "integer"), descending=True),)),
    ),
    tables.Order: (
        fields.parse_order_filter,
        Sort((SortKey(ColumnExpression("placed_at", "integer"), descending=True),)),
    ),
}


async def list_query(
    session: Session, table: Activity, filter: Any, *, visibility: Visibility, agent_id: bytes | None, now: int
) -> tuple[ListQuery, Sort]:
    """The list query and order of `table`. Raises QueryError."""
    kind, order = _KINDS[table]
    known = await filter_contexts.load_filter_context(
        session, [filter], now=now, agent_id=agent_id, visibility=visibility
    )
    reader = fields.create_parser(known)
    shape = TRUE if filter is None else kind(reader, filter, ("filter",))

    def build(dialect: str) -> Select[Any]:
        found = select(table).where(in_workspace(table))
        return (
            found
            if shape == TRUE
            else found.where(ConditionCompiler(dialect, sees_all=visibility.sees_all).compile(shape, table))
        )

    condition = ParsedFilter(shape, tuple(reader.values))
    values = {**condition.parameters, **visibility.parameters()}
    return ListQuery((table, shape, visibility.sees_all), build, table, visibility.sees_all, values), order


def _of_customer(found: Select[Any], row: Any) -> Select[Any]:
    return found.where(row.customer_id == tables.Customer.id)


CUSTOMERS_AS_PARENTS = ParentTable(tables.Customer, _of_customer)
"""The records of each customer."""


async def visible_by_ids(
    session: Session, ids: Sequence[bytes], table: Activity, visibility: Visibility
) -> Mapping[bytes, Any]:
    """The rows of `table` by id, for customers that are visible."""
    rows = await session.fetch_all(_in_sight(table, visibility.sees_all), ids=ids, **visibility.parameters())
    return {row.id: row for row in rows}


@cache
def _in_sight(table: Activity, sees_all: bool) -> PreparedStatement[Any]:
    return prepare(
        select(table)
        .join(tables.Customer, col(tables.Customer.id) == table.customer_id)
        .where(in_workspace(table, tables.Customer), any_of(table.id, "ids"), visible_to(sees_all))
    )


# ── for writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_BODIES = prepare(
    select(tables.Note.customer_id, tables.Note.id, tables.Note.body_key)
    .where(in_workspace(tables.Note), any_of(tables.Note.customer_id, "ids"))
    .order_by(col(tables.Note.id))
)


async def note_keys(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, list[Any]]:
    """The folded texts of each customer's notes with the notes' ids, oldest first."""
    return group_rows(await session.fetch_all(_BODIES, ids=ids), "customer_id")


_PENDING = prepare(
    select(tables.Interaction)
    .where(
        in_workspace(tables.Interaction),
        any_of(tables.Interaction.customer_id, "ids"),
        col(tables.Interaction.pending).is_(true()),
    )
    .order_by(col(tables.Interaction.occurred_at), col(tables.Interaction.id))
)
_BY_NUMBER = prepare(
    select(tables.Order).where(
        in_workspace(tables.Order),
        col(tables.Order.source) == bindparam("source"),
        col(tables.Order.number) == bindparam("number"),
    )
)


async def pending_interactions(session: Session, ids: Sequence[bytes]) -> list[tables.Interaction]:
    """Interactions that were recorded while these customers were archived and have not taken effect; oldest first."""
    return await session.fetch_all(_PENDING, ids=ids)


_LATEST = prepare(
    select(
        col(tables.Interaction.customer_id).label("key"),
        func.max(col(tables.Interaction.occurred_at)).label("moment"),
    )
    .where(in_workspace(tables.Interaction), any_of(tables.Interaction.customer_id, "ids"))
    .group_by(col(tables.Interaction.customer_id))
)


async def latest_interaction_times(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, int]:
    """The time of the last interaction of each customer; customers without one are absent."""
    return {row.key: row.moment for row in await session.fetch_all(_LATEST, ids=ids)}


_BY_EXTERNAL_IDS = prepare(
    select(tables.Interaction).where(
        in_workspace(tables.Interaction),
        any_of(tables.Interaction.external_system, "systems"),
        any_of(tables.Interaction.external_value, "values"),
    )
)


async def by_external_ids(
    session: Session, pairs: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], tables.Interaction]:
    """The interactions with these external ids (system, value), of any customer."""
    systems, values = list({system for system, _ in pairs}), list({value for _, value in pairs})
    wanted = set(pairs)
    found: dict[tuple[str, str], tables.Interaction] = {}
    for row in await session.fetch_all(_BY_EXTERNAL_IDS, systems=systems, values=values):
        key = (row.external_system or "", row.external_value or "")
        if key in wanted:
            found[key] = row
    return found


async def order_by_number(session: Session, source: str, number: str) -> tables.Order | None:
    """The order with that source and number, of any customer."""
    return await session.fetch_first(_BY_NUMBER, source=source, number=number)
