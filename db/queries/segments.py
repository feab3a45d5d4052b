"""Segments."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import select

from db import tables
from db.engine import Session
from db.paging import Page, Window, newest_first
from db.reading import among, here, prepared

_BY_IDS = prepared(select(tables.Segment).where(here(tables.Segment), among(tables.Segment.id, "ids")))
_COUNT = prepared(select(func.count().label("count")).select_from(tables.Segment).where(here(tables.Segment)))


def _all() -> Select[Any]:
    return select(tables.Segment).where(here(tables.Segment))


async def page(session: Session, window: Window) -> Page:
    return await newest_first(session, _all, window)


async def count(session: Session) -> int:
    found: int = (await session.rows(_COUNT))[0].count
    return found


async def by_ids(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, tables.Segment]:
    return {row.id: row for row in await session.rows(_BY_IDS, ids=ids)}
