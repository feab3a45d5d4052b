"""All stored filters and sorts."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, literal_column, type_coerce
from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.statements import in_workspace, prepare

_NO_SORT = type_coerce(literal_column("NULL"), JSON).label("sort")
_STORED = {
    "saved view": prepare(
        select(tables.SavedView.name, tables.SavedView.filter, tables.SavedView.sort).where(
            in_workspace(tables.SavedView)
        )
    ),
    "segment": prepare(
        select(tables.Segment.name, tables.Segment.filter, _NO_SORT).where(
            in_workspace(tables.Segment), col(tables.Segment.filter).is_not(None)
        )
    ),
    "assignment rule": prepare(
        select(tables.AssignmentRule.name, tables.AssignmentRule.filter, _NO_SORT).where(
            in_workspace(tables.AssignmentRule), col(tables.AssignmentRule.filter).is_not(None)
        )
    ),
    "webhook": prepare(
        select(col(tables.Webhook.url).label("name"), tables.Webhook.filter, _NO_SORT).where(
            in_workspace(tables.Webhook), col(tables.Webhook.filter).is_not(None)
        )
    ),
}


async def all_stored_filters(session: Session) -> Mapping[str, list[Any]]:
    """By the type of record: `name`, `filter` and `sort` of each; either may be null."""
    return {kind: await session.fetch_all(statement) for kind, statement in _STORED.items()}
