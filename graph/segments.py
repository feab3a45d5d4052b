"""Segments: stored questions about customers, and lists kept by hand."""

import strawberry
from strawberry import Info

from db import tables
from db.queries import segments
from graph import ids
from graph.engine.fields import column
from graph.enums import Permission, SegmentKind
from graph.nodes import Id, Node, Record, read_from
from graph.paging import After, Before, Connection, First, Last, alone, window
from graph.permissions import guarded
from graph.scalars import FilterJSON


@strawberry.type(description="A group of customers: found by a stored filter, or kept by hand.")
class Segment(Record, Node):
    is_type_of = read_from(tables.Segment)

    id: strawberry.ID = column("The segment's id.", convert=ids.wire("Segment"))
    name: str = column("Its name.")
    kind: SegmentKind = column("How its members are found.")
    description: str | None = column("What it is for.")
    filter: FilterJSON | None = column("The stored filter of a dynamic segment; null for a static one.")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "A segment by its id; null when there is none.")
    async def segment(self, info: Info, id: Id) -> Segment | None:
        return await info.context.found(segments.by_ids, "Segment", id)

    @guarded(Permission.CUSTOMER_VIEW, "The workspace's segments, newest first.")
    async def segments(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Segment]:
        page = await segments.page(info.context.reading, window(first, after, last, before))
        return alone(page, lambda at_most: segments.count(info.context.reading))
